/**
 * How an HTTP API changes a request before a function gets it, and a result before the client does.
 */
import { connect } from 'node:net';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { afterEach, describe, expect, test } from 'vitest';
import { currentFunction } from '../../lib/local/functions/invocation.ts';
import {
  type Endpoint,
  type Gateway,
  type GatewayOptions,
  startGateway,
} from '../../lib/local/gateway.ts';
import type { Route } from '../../lib/routes.ts';

const throttle = { rate: 1, burst: 1 };
const ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/dare-migration/start',
    entry: 'hooks/start',
    scheme: 'connect-jwt',
    throttle,
  },
  {
    method: 'GET',
    path: '/dare-migration/status',
    entry: 'hooks/status',
    scheme: 'connect-jwt',
    throttle,
  },
  {
    method: 'PUT',
    path: '/templates/{id}',
    entry: 'sample-app/templates',
    scheme: 'context-jwt',
    throttle,
  },
];

const opened: Gateway[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((gateway) => gateway.close()));
});

async function gatewayTo(
  endpoint: Endpoint | undefined,
  more: Partial<GatewayOptions> = {},
): Promise<Gateway> {
  const gateway = await startGateway({
    realm: 'us',
    port: 0,
    routes: ROUTES,
    endpointOf: () => endpoint,
    ...more,
  });
  opened.push(gateway);
  return gateway;
}

/** The event that the function gets for this request. */
async function eventFor(path: string, init: RequestInit = {}): Promise<APIGatewayProxyEventV2> {
  const seen: APIGatewayProxyEventV2[] = [];
  const gateway = await gatewayTo(async (event) => {
    seen.push(event);
    return { statusCode: 204 };
  });
  await fetch(`${gateway.url}${path}`, init);
  const [event] = seen;
  if (!event) throw new Error('no function was called');
  return event;
}

describe('the event of a request', () => {
  test('has the path decoded and the query as it was sent', async () => {
    const event = await eventFor('/dare%2Dmigration/status?migrationId=57%3500&x=a+b');
    expect(event.rawPath).toBe('/dare-migration/status');
    expect(event.requestContext.http.path).toBe('/dare-migration/status');
    expect(event.rawQueryString).toBe('migrationId=57%3500&x=a+b');
    expect(event.queryStringParameters).toEqual({ migrationId: '57500', x: 'a b' });
  });

  test('joins the values of a repeated parameter by commas', async () => {
    const event = await eventFor('/dare-migration/status?id=1&id=2&empty=');
    expect(event.queryStringParameters).toEqual({ id: '1,2', empty: '' });
  });

  test('has no query parameters and no body where there are none', async () => {
    const event = await eventFor('/dare-migration/status');
    expect(event).toMatchObject({ version: '2.0', rawQueryString: '', isBase64Encoded: false });
    expect(event).not.toHaveProperty('queryStringParameters');
    expect(event).not.toHaveProperty('body');
    expect(event).not.toHaveProperty('pathParameters');
  });

  test('names the route, and gives the segment that it takes, decoded', async () => {
    const event = await eventFor('/templates/a%2Fb%20c', { method: 'PUT' });
    expect(event.routeKey).toBe('PUT /templates/{id}');
    expect(event.pathParameters).toEqual({ id: 'a/b c' });
    expect(event.requestContext).toMatchObject({
      routeKey: 'PUT /templates/{id}',
      stage: '$default',
    });
    expect(event.requestContext.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('has header names in lower case, and cookies apart', async () => {
    const event = await eventFor('/dare-migration/status', {
      headers: { Authorization: 'JWT token', 'X-Thing': 'one', cookie: 'a=1; b=2' },
    });
    expect(event.headers).toMatchObject({ authorization: 'JWT token', 'x-thing': 'one' });
    expect(event.headers).not.toHaveProperty('cookie');
    expect(event.cookies).toEqual(['a=1', 'b=2']);
  });

  test.each([
    ['application/json', false],
    ['application/json; charset=utf-8', false],
    ['application/vnd.api+json', false],
    ['text/plain', false],
    ['application/xml', false],
    ['application/javascript', false],
    ['application/x-www-form-urlencoded', true],
    ['application/octet-stream', true],
    ['application/jsonish', true],
  ])('with content type %s: base64 is %s', async (contentType, isBase64Encoded) => {
    const event = await eventFor('/dare-migration/start', {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: '{"ä":1}',
    });
    expect(event.isBase64Encoded).toBe(isBase64Encoded);
    expect(Buffer.from(event.body ?? '', isBase64Encoded ? 'base64' : 'utf8').toString()).toBe(
      '{"ä":1}',
    );
  });
});

describe('a request that no function sees', () => {
  const never: Endpoint = async () => {
    throw new Error('a function was called');
  };

  test.each([
    ['an unknown path', 'POST', '/dare-migration/finish'],
    ['another method', 'PUT', '/dare-migration/start'],
    ['a trailing slash', 'POST', '/dare-migration/start/'],
    ['a doubled slash', 'POST', '//dare-migration/start'],
    ['another case', 'POST', '/Dare-Migration/start'],
    ['an empty parameter', 'PUT', '/templates/'],
  ])('is answered 404 for %s', async (_, method, path) => {
    const gateway = await gatewayTo(never);
    const response = await fetch(`${gateway.url}${path}`, { method });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ message: 'Not Found' });
  });

  test('is answered 400 where the path is not well encoded', async () => {
    const gateway = await gatewayTo(never);
    expect((await fetch(`${gateway.url}/templates/%E0%A4%A`, { method: 'PUT' })).status).toBe(400);
  });

  test('is answered 413 above 6 MB, as text and as base64', async () => {
    const gateway = await gatewayTo(never);
    const post = (contentType: string, megabytes: number) =>
      fetch(`${gateway.url}/dare-migration/start`, {
        method: 'POST',
        headers: { 'content-type': contentType },
        body: 'x'.repeat(megabytes * 1024 * 1024),
      });
    expect((await post('text/plain', 6)).status).toBe(413);
    expect((await post('application/octet-stream', 5)).status).toBe(413);
    expect((await post('text/plain', 12)).status).toBe(413);
  });

  test('is answered 431 with more than 10,240 bytes of headers', async () => {
    const gateway = await gatewayTo(never);
    const response = await fetch(`${gateway.url}/dare-migration/status?jwt=${'x'.repeat(11_000)}`);
    expect(response.status).toBe(431);
  });

  test('is answered 503 while its realm is starting', async () => {
    const gateway = await gatewayTo(undefined);
    expect((await fetch(`${gateway.url}/dare-migration/status`)).status).toBe(503);
  });
});

describe('the reply', () => {
  const replyOf = async (result: unknown) => {
    const gateway = await gatewayTo(async () => result);
    return fetch(`${gateway.url}/dare-migration/status`);
  };

  test('is what the function says', async () => {
    const response = await replyOf({
      statusCode: 503,
      headers: { 'Retry-After': '5' },
      body: 'later',
      cookies: ['a=1', 'b=2'],
    });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await response.text()).toBe('later');
  });

  test('decodes a base64 body', async () => {
    const response = await replyOf({
      statusCode: 200,
      isBase64Encoded: true,
      body: Buffer.from('bytes').toString('base64'),
    });
    expect(await response.text()).toBe('bytes');
  });

  test('is a 200 with JSON where the result has no status', async () => {
    const response = await replyOf({ anything: 1 });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ anything: 1 });
  });

  test('is 500, without a word of the error, when the function fails', async () => {
    const gateway = await gatewayTo(async () => {
      throw new Error('a secret');
    });
    const response = await fetch(`${gateway.url}/dare-migration/status`);
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ message: 'Internal Server Error' });
  });

  test('is 500 when the function outlives its own timeout, and 503 when it outlives the gateway’s', async () => {
    const hangs: Endpoint = () => new Promise(() => undefined);
    const killed = await gatewayTo(hangs, { functionTimeoutMs: () => 30 });
    const late = await gatewayTo(hangs, { integrationTimeoutMs: 30 });
    expect((await fetch(`${killed.url}/dare-migration/status`)).status).toBe(500);
    expect((await fetch(`${late.url}/dare-migration/status`)).status).toBe(503);
  });
});

describe('a function that runs', () => {
  test('is known by its realm and file, also after it has waited, and knows its remaining time', async () => {
    const gateway = await gatewayTo(async (_, context) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return {
        statusCode: 200,
        body: JSON.stringify({ ...currentFunction(), left: context.getRemainingTimeInMillis() }),
      };
    });
    const body: unknown = await (await fetch(`${gateway.url}/dare-migration/status`)).json();
    expect(body).toMatchObject({ realm: 'us', entry: 'hooks/status' });
    expect(Object(body).left).toBeGreaterThan(9_000);
    expect(Object(body).left).toBeLessThan(10_000);
    expect(currentFunction()).toBeUndefined();
  });

  test('does not keep the gateway from closing for longer than a moment', async () => {
    const gateway = await startGateway({
      realm: 'us',
      port: 0,
      routes: ROUTES,
      endpointOf: () => () => new Promise(() => undefined),
    });
    const socket = connect(gateway.port, '127.0.0.1', () =>
      socket.write('GET /dare-migration/status HTTP/1.1\r\nhost: x\r\n\r\n'),
    );
    socket.on('error', () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const begun = Date.now();
    await gateway.close();
    expect(Date.now() - begun).toBeLessThan(3_000);
  });
});

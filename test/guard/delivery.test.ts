/** Deliveries of kept events, as the vendor's app verifies them: by the middleware, and alone. */
import { createHash, createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { deliveryToken } from '../../lambdas/adapters/tokens/delivery-token.ts';
import {
  deliveryMiddleware,
  residencyDelivery,
  type VerifyDelivery,
} from '../../packages/guard/src/delivery.ts';
import { tenantRecord } from '../support/builders.ts';
import { manualClock } from '../support/clock.ts';
import { type DynamoDbPortsHost, dynamoDbPortsHost } from '../support/dynamodb-ports-host.ts';

const SECRET = 'the secret that stands';
const BODY = JSON.stringify({ clientKey: 'one', sharedSecret: SECRET, eventType: 'installed' });
const INSTALLATION = 'ari:cloud:ecosystem::installation/aaaaaaaa-1111-2222-3333-444444444444';
const sent = { app: 'com.example.app', audience: 'one', path: '/installed', body: BODY };
const token = (change: Partial<typeof sent> = {}, secret = SECRET, now = Date.now()) =>
  deliveryToken({ ...sent, ...change }, secret, now);

let host: DynamoDbPortsHost;
let verify: VerifyDelivery;
beforeAll(async () => {
  host = await dynamoDbPortsHost(manualClock());
  const table = { app: 'test', stage: 'test', realm: 'us', client: host.clientFor('us') };
  verify = residencyDelivery({ ...table, appKey: 'com.example.app' });
});
beforeEach(() =>
  host.tenants.change('us', 'one', () =>
    tenantRecord({
      tenant: 'one',
      credentials: { sharedSecret: SECRET, iat: 1_000 },
      installations: [{ id: INSTALLATION, iat: 1_000 }],
    }),
  ),
);
afterEach(() => host.inject(() => undefined));
afterAll(() => host.close());

const judged = (given: string | undefined, body: string | Uint8Array = BODY, path = '/installed') =>
  verify({ token: given, body, path });

/** Our own token with other words in it, signed with the secret all the same. */
function forged(header: object, claims: object = {}): string {
  const [, payload = ''] = token().split('.');
  const known = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const [first, second] = [header, { ...known, ...claims }].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const signature = createHmac('sha256', SECRET).update(`${first}.${second}`).digest('base64url');
  return `${first}.${second}.${signature}`;
}

describe('a delivery', () => {
  test('is believed for its body, its path and three minutes, by text or by bytes', async () => {
    const delivery = { kind: 'delivery', named: 'one', tenant: 'one' };
    expect(await judged(token())).toEqual(delivery);
    expect(await judged(token(), Buffer.from(BODY))).toEqual(delivery);
    expect(await judged(token({}, SECRET, Date.now() - 170_000))).toEqual(delivery);
    const ofForge = { audience: INSTALLATION, path: '/forge/lifecycle/upgraded', body: '{}' };
    expect(await judged(token(ofForge), '{}', ofForge.path)).toMatchObject({ named: INSTALLATION });
  });

  test.each<[string, () => string | undefined]>([
    ['it is no token signed with HS256', () => undefined],
    ['it is no token signed with HS256', () => 'a.b'],
    ['it is no token signed with HS256', () => `${token()}.x`],
    ['it is no token signed with HS256', () => forged({ alg: 'none' })],
    ['it is no token signed with HS256', () => forged({ alg: 'RS256' })],
    ['the signature is not valid', () => token({}, 'the secret before')],
    ['the signature is not valid', () => token().replace(/\.[^.]*$/, '.')],
    ['the tenant is unknown here', () => token({ audience: 'two' })],
    ['the tenant is unknown here', () => token({ audience: '#kept#one' })],
    ['it was made for another app', () => token({ app: 'com.example.other' })],
    ['it was made for another path', () => token({ path: '/uninstalled' })],
    ['it was made for another body', () => token({ body: BODY.replace('one', 'two') })],
    ['it has expired', () => token({}, SECRET, Date.now() - 250_000)],
    ['it was issued in the future', () => token({}, SECRET, Date.now() + 70_000)],
    [
      'lasts too long',
      () => forged({ alg: 'HS256' }, { exp: Math.floor(Date.now() / 1000) + 999 }),
    ],
    ['it has no times', () => forged({ alg: 'HS256' }, { exp: 'tomorrow' })],
  ])('is refused: %s', async (says, given) => {
    expect(await judged(given())).toEqual({ kind: 'refused', says: expect.stringContaining(says) });
  });

  test('waits where the tenant is in a move again, and is taken where it was uninstalled', async () => {
    const change = (rest: object) =>
      host.tenants.change('us', 'one', (record) => record && { ...record, ...rest });
    await change({ state: 'frozen', migration: '1', ledger: 'us' });
    expect(await judged(token())).toEqual({ kind: 'later' });
    await change({ state: 'retired' });
    expect(await judged(token())).toMatchObject({ kind: 'delivery' });
  });

  test('is no verdict where the table cannot be read', async () => {
    host.inject(() => ({ error: 'AccessDeniedException' }));
    await expect(judged(token())).rejects.toMatchObject({ name: 'ResidencyFault' });
  });
});

describe('the middleware', () => {
  const refusals: string[] = [];
  /** Leaves the bytes in `body`, as `express.raw()` does; `/parsed` leaves what they mean. */
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const isParsed = request.url?.startsWith('/parsed') === true;
    const body = isParsed ? JSON.parse(bytes.toString()) : bytes;
    const guarded = Object.assign(request, { body });
    const answer = Object.assign(response, { locals: {} as Record<string, unknown> });
    const options = {
      basePath: '/base',
      onRefused: (says: string) => void refusals.push(says),
    };
    deliveryMiddleware(verify, options)(guarded, answer, (error) => {
      if (error instanceof Error) answer.writeHead(500).end(error.message);
      else answer.end(JSON.stringify(answer.locals['residencyDelivery'] ?? 'of Atlassian'));
    });
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => void server.close());

  const post = async (path: string, given: string | undefined, body = BODY) => {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(given !== undefined && { 'x-residency-delivery': given }),
      },
      body,
    });
    return [response.status, await response.text()] as const;
  };

  test('takes deliveries, refuses others, and passes on what is none', async () => {
    const [status, text] = await post('/base/installed?a=b', token());
    expect([status, JSON.parse(text)]).toEqual([
      200,
      { kind: 'delivery', named: 'one', tenant: 'one' },
    ]);
    expect(await post('/base/installed', undefined)).toEqual([200, '"of Atlassian"']);
    expect(await post('/base/installed', token({}, 'wrong'))).toEqual([
      401,
      '{"message":"Unauthorized"}',
    ]);
    expect(refusals).toEqual(['the signature is not valid']);
    expect(refusals.join()).not.toContain(SECRET);
    const [parsed, says] = await post('/parsed/installed', token());
    expect([parsed, says]).toEqual([500, expect.stringContaining('needs the raw body')]);
    host.inject(() => ({ error: 'AccessDeniedException' }));
    expect((await post('/base/installed', token()))[0]).toBe(503);
  });

  test('can be written in any language: the token is three parts and one hash', () => {
    const [header = '', payload = '', signature] = token().split('.');
    const mac = createHmac('sha256', SECRET).update(`${header}.${payload}`).digest('base64url');
    expect(signature).toBe(mac);
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    expect(claims).toEqual({
      iss: 'com.example.app',
      aud: 'one',
      sub: '/installed',
      iat: expect.any(Number),
      exp: claims.iat + 180,
      bodySha256: createHash('sha256').update(BODY).digest('hex'),
    });
  });
});

/** What must be refused, over HTTP and with real tokens: clearly, with one line in the log, and without losing anything. */

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jsonLog } from '../../lambdas/adapters/json-log.ts';
import { hookToken, installToken } from '../../lib/local/atlassian-tokens.ts';
import { type LocalHost, startLocalHost } from '../../lib/local/host.ts';
import type { Site } from '../../lib/local/simulated-atlassian.ts';
import { facts, startWorld, type World } from '../support/world.ts';

const lines: string[] = [];

let world: World;
let site: Site;
let us: string;
beforeAll(async () => {
  world = await startWorld();
  site = await world.installed('careful');
  us = world.host.urls['us'] ?? '';
});
afterAll(() => world[Symbol.asyncDispose]());

const post = (
  url: string,
  token: string | undefined,
  body: string,
  more: Record<string, string> = {},
) =>
  fetch(url, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      ...(token ? { authorization: `JWT ${token}` } : {}),
      ...more,
    },
  });
const signed = (path: string, method = 'POST') =>
  hookToken(site.clientKey, site.sharedSecret, { method, url: `${us}${path}`, baseUrl: us });
const SCHEDULE = '/dare-migration/schedule';

describe('a body', () => {
  test.each([
    ['that is no JSON', '{"location":'],
    ['that is a list', '[]'],
    ['without a location', JSON.stringify({ ...facts('DE'), location: undefined, migrationId: 1 })],
    [
      'with a time that is none',
      JSON.stringify({ ...facts('DE'), startTime: 'tomorrow', migrationId: 1 }),
    ],
    [
      'with a reversed window',
      JSON.stringify({
        location: 'DE',
        startTime: facts('DE').endTime,
        endTime: facts('DE').startTime,
        migrationId: 1,
      }),
    ],
    ['with an id that is an object', JSON.stringify({ ...facts('DE'), migrationId: {} })],
    [
      'with an id that would be another record',
      JSON.stringify({ ...facts('DE'), migrationId: '1#range' }),
    ],
  ])('%s is refused for good', async (_, body) => {
    const reply = await post(`${us}${SCHEDULE}`, signed(SCHEDULE), body);
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ errorResponseCode: 'E9999' });
  });

  test('for a realm that nobody serves is refused with the code for that', async () => {
    const reply = await post(
      `${us}${SCHEDULE}`,
      signed(SCHEDULE),
      JSON.stringify({ ...facts('JP'), migrationId: 1 }),
    );
    expect([reply.status, await reply.json()]).toMatchObject([400, { errorResponseCode: 'E0002' }]);
  });

  test('over 256 KB is refused before anything is read', async () => {
    const reply = await post(
      `${us}${SCHEDULE}`,
      signed(SCHEDULE),
      JSON.stringify({ pad: 'x'.repeat(256 * 1024) }),
    );
    expect(reply.status).toBe(413);
  });

  test('without a textual content type is read all the same', async () => {
    const other = await world.installed('octets');
    const token = hookToken(other.clientKey, other.sharedSecret, {
      method: 'POST',
      url: `${us}${SCHEDULE}`,
      baseUrl: us,
    });
    const body = JSON.stringify({ ...facts('DE'), migrationId: 77 });
    const reply = await post(`${us}${SCHEDULE}`, token, body, {
      'content-type': 'application/octet-stream',
    });
    expect([reply.status, await reply.json()]).toEqual([200, { status: 'scheduled' }]);
  });
});

describe('a route', () => {
  test.each([
    ['GET', SCHEDULE],
    ['POST', '/dare-migration/status'],
    ['POST', '/dare-migration/schedule/'],
    ['POST', '/dare-migration/%73chedule/x'],
    ['POST', '/dare-migration'],
    ['DELETE', '/installed'],
  ])('%s %s does not exist', async (method, path) => {
    const reply = await fetch(`${us}${path}`, {
      method,
      headers: { authorization: `JWT ${signed(path, method)}` },
    });
    expect(reply.status).toBe(404);
  });
});

describe('a token', () => {
  const good = () => ({ method: 'POST', url: `${us}${SCHEDULE}`, baseUrl: us });
  test.each([
    ['that is missing', () => undefined],
    ['of a tenant that is unknown', () => hookToken('nobody', site.sharedSecret, good())],
    ['signed with another secret', () => hookToken(site.clientKey, 'another secret', good())],
    [
      'made for another path',
      () =>
        hookToken(site.clientKey, site.sharedSecret, {
          ...good(),
          url: `${us}/dare-migration/start`,
        }),
    ],
    [
      'made for another method',
      () => hookToken(site.clientKey, site.sharedSecret, { ...good(), method: 'GET' }),
    ],
    [
      'made for another query',
      () =>
        hookToken(site.clientKey, site.sharedSecret, {
          ...good(),
          url: `${us}${SCHEDULE}?migrationId=1`,
        }),
    ],
    ['that is garbage', () => 'a.b.c'],
  ])('%s is answered 401, with the one body', async (_, token) => {
    const reply = await post(
      `${us}${SCHEDULE}`,
      token(),
      JSON.stringify({ ...facts('DE'), migrationId: 5 }),
    );
    expect([reply.status, await reply.json()]).toEqual([401, { message: 'Unauthorized' }]);
  });

  test('in the query is as good as in the header, and is not part of what it signs', async () => {
    const url = `${us}/dare-migration/status?migrationId=5`;
    const token = hookToken(site.clientKey, site.sharedSecret, { method: 'GET', url, baseUrl: us });
    const reply = await fetch(`${url}&jwt=${token}`);
    expect([reply.status, await reply.json()]).toMatchObject([404, { errorResponseCode: 'E0001' }]);
  });
});

describe('a signed install', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const asked: string[] = [];
  let answer = 404;
  const keyServer = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(answer).end();
  });
  let host: LocalHost;
  beforeAll(async () => {
    await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve));
    const { port } = keyServer.address() as AddressInfo;
    const env = { INSTALL_KEYS_URL: `http://127.0.0.1:${port}`, JANITOR_SECONDS: '0' };
    host = await startLocalHost({
      ephemeral: true,
      env,
      log: jsonLog({}, (line) => lines.push(line)),
    });
  });
  afterAll(async () => {
    await host.close();
    keyServer.close();
  });

  const install = (kid: string) => {
    const url = host.urls['us'] ?? '';
    const token = installToken({ kid, privateKey }, 'stranger', {
      method: 'POST',
      url: `${url}/installed`,
      baseUrl: url,
    });
    return post(
      `${url}/installed`,
      token,
      JSON.stringify({ clientKey: 'stranger', sharedSecret: 'xyz' }),
    );
  };

  test.each([
    '../secrets',
    'a/b',
    '',
    'a..b/..',
    'http://evil.example/x',
    'k?x=1',
    'k%2e',
    '.hidden',
  ])('with the key id %j is refused without a fetch', async (kid) => {
    expect((await install(kid)).status).toBe(401);
    expect(asked).toEqual([]);
  });

  test('by a key that Atlassian does not have is refused, and asked for once', async () => {
    expect((await install('unknown-key')).status).toBe(401);
    expect((await install('unknown-key')).status).toBe(401);
    expect(asked).toEqual(['/unknown-key']);
  });

  test('while the key server is down is a fault, and no refusal', async () => {
    answer = 500;
    const reply = await install('some-key');
    expect(reply.status).toBe(503);
    expect(await reply.json()).not.toHaveProperty('errorResponseCode');
  });
});

describe('the log', () => {
  test('has a line for each refusal, and neither secrets nor tokens in it', () => {
    const text = [...world.lines, ...lines].join('\n');
    expect(text).toContain('401: ');
    expect(text).toContain('400: ');
    expect(text).not.toContain(site.sharedSecret);
    expect(text).not.toMatch(/eyJ[\w-]{10,}/);
    expect(text).not.toContain('    at ');
  });
});

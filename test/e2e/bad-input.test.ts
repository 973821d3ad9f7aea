/**
 * Bad input over HTTP, with real tokens: refused with a sentence and one line in the log, and
 * nothing is lost.
 */

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jsonLog } from '../../lambdas/adapters/json-log.ts';
import { hookToken, installToken, invocationToken } from '../../lib/atlassian-tokens.ts';
import { type LocalHost, startLocalHost } from '../../lib/local/host.ts';
import type { Site } from '../../lib/local/simulated-atlassian.ts';
import { residency } from '../../residency.config.ts';
import { testIf } from '../support/doors.ts';
import { DOORS, facts, startWorld, type World } from '../support/world.ts';

const TOKEN = /eyJ[\w-]{10,}/;
const REFUSED = [401, { message: 'Unauthorized' }];

const post = (
  url: string,
  authorization: string | undefined,
  body: string,
  more: Record<string, string> = {},
) =>
  fetch(url, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
      ...more,
    },
  });

describe.each(DOORS)('behind the door %s:', (door) => {
  const hooks = door === 'connect' ? '/dare-migration' : '/forge/migration';
  const schedule = `${hooks}/schedule`;
  let world: World;
  let site: Site;
  let us: string;
  beforeAll(async () => {
    world = await startWorld({ door });
    site = await world.installed('careful');
    us = world.host.urls['us'] ?? '';
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const signed = (path: string, method = 'POST') =>
    world.atlassian.authorization(site, method, `${us}${path}`, us);

  describe('a body', () => {
    test.each([
      ['that is no JSON', '{"location":'],
      ['that is a list', '[]'],
      [
        'without a location',
        JSON.stringify({ ...facts('DE'), location: undefined, migrationId: 1 }),
      ],
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
      const reply = await post(`${us}${schedule}`, signed(schedule), body);
      expect(reply.status).toBe(400);
      expect(await reply.json()).toMatchObject({ errorResponseCode: 'E9999' });
    });

    test('for a location without a realm is refused with the code for that', async () => {
      const reply = await post(
        `${us}${schedule}`,
        signed(schedule),
        JSON.stringify({ ...facts('JP'), migrationId: 1 }),
      );
      expect([reply.status, await reply.json()]).toMatchObject([
        400,
        { errorResponseCode: 'E0002' },
      ]);
    });

    test('over 256 KB is refused before anything is read', async () => {
      const reply = await post(
        `${us}${schedule}`,
        signed(schedule),
        JSON.stringify({ pad: 'x'.repeat(256 * 1024) }),
      );
      expect(reply.status).toBe(413);
    });

    test('without a textual content type is read all the same', async () => {
      const other = await world.installed('octets');
      const token = world.atlassian.authorization(other, 'POST', `${us}${schedule}`, us);
      const body = JSON.stringify({ ...facts('DE'), migrationId: 77 });
      const reply = await post(`${us}${schedule}`, token, body, {
        'content-type': 'application/octet-stream',
      });
      expect([reply.status, await reply.json()]).toEqual([200, { status: 'scheduled' }]);
    });
  });

  describe('a route', () => {
    test.each([
      ['GET', schedule],
      ['POST', `${hooks}/status`],
      ['POST', `${schedule}/`],
      ['POST', `${hooks}/%73chedule/x`],
      ['POST', hooks],
      ['DELETE', door === 'connect' ? '/installed' : '/forge/lifecycle/installed'],
    ])('%s %s does not exist', async (method, path) => {
      const reply = await fetch(`${us}${path}`, {
        method,
        headers: { authorization: signed(path, method) },
      });
      expect(reply.status).toBe(404);
    });
  });

  describe('a token', () => {
    const connect = (
      of: { clientKey?: string; secret?: string; method?: string; path?: string } = {},
    ) => {
      const { clientKey = site.clientKey, secret = site.sharedSecret } = of;
      const { method = 'POST', path = schedule } = of;
      const token = hookToken(clientKey, secret, { method, url: `${us}${path}`, baseUrl: us });
      return `JWT ${token}`;
    };
    /** A valid token of a site that never installed the app. */
    const strangers = () => {
      const stranger = world.atlassian.site('stranger', us, 'forge');
      stranger.installations.push(`ari:cloud:ecosystem::installation/${randomUUID()}`);
      return world.atlassian.authorization(stranger, 'POST', `${us}${schedule}`, us);
    };
    const bad: Readonly<Record<string, () => string | undefined>> = {
      'that is missing': () => undefined,
      'that is garbage': () => (door === 'connect' ? 'JWT a.b.c' : 'Bearer a.b.c'),
      'of Forge, of an installation that is unknown': strangers,
      ...(door === 'connect'
        ? {
            'of a tenant that is unknown': () => connect({ clientKey: 'nobody' }),
            'signed with another secret': () => connect({ secret: 'another secret' }),
            'made for another path': () => connect({ path: `${hooks}/start` }),
            'made for another method': () => connect({ method: 'GET' }),
            'made for another query': () => connect({ path: `${schedule}?migrationId=1` }),
          }
        : {
            'of Connect, good at the other door': () => connect(),
            'of Connect, as if it were of Forge': () => connect().replace('JWT', 'Bearer'),
            'with the scheme of Connect': () => signed(schedule).replace('Bearer', 'JWT'),
            'whose signature is of another token': () =>
              signed(schedule).replace(/[^.]*$/, strangers().split('.').at(-1) ?? ''),
          }),
    };
    test.each(Object.entries(bad))('%s is answered 401, with the one body', async (_, token) => {
      const body = JSON.stringify({ ...facts('DE'), migrationId: 5 });
      const reply = await post(`${us}${schedule}`, token(), body);
      expect([reply.status, await reply.json()]).toEqual(REFUSED);
    });

    testIf(door === 'connect')(
      'in the query is as good as in the header, and is not part of what it signs',
      async () => {
        const path = `${hooks}/status?migrationId=5`;
        const token = connect({ method: 'GET', path }).replace('JWT ', '');
        const reply = await fetch(`${us}${path}&jwt=${token}`);
        expect([reply.status, await reply.json()]).toMatchObject([
          404,
          { errorResponseCode: 'E0001' },
        ]);
      },
    );

    testIf(door !== 'connect')('in the query is none', async () => {
      const path = `${hooks}/status?migrationId=5`;
      const token = signed(path, 'GET').replace('Bearer ', '');
      const reply = await fetch(`${us}${path}&jwt=${token}`);
      expect([reply.status, await reply.json()]).toEqual(REFUSED);
    });

    testIf(door === 'both')('of the door that the site came by is still good there', async () => {
      const path = '/dare-migration/status?migrationId=5';
      const authorization = connect({ method: 'GET', path });
      const reply = await fetch(`${us}${path}`, { headers: { authorization } });
      expect([reply.status, await reply.json()]).toMatchObject([
        404,
        { errorResponseCode: 'E0001' },
      ]);
    });
  });

  describe('the log', () => {
    test('has a line for each refusal, and neither secrets nor tokens in it', () => {
      const text = world.lines.join('\n');
      expect(text).toContain('401: ');
      expect(text).toContain('400: ');
      expect(text).not.toContain(site.sharedSecret);
      expect(text).not.toMatch(TOKEN);
      expect(text).not.toContain('    at ');
    });
  });
});

describe('what Atlassian signs with a key of its own:', () => {
  const lines: string[] = [];
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
    const url = `http://127.0.0.1:${port}`;
    const env = {
      INSTALL_KEYS_URL: url,
      FORGE_JWKS_URL: `${url}/forge`,
      JANITOR_SECONDS: '0',
    };
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
      `JWT ${token}`,
      JSON.stringify({ clientKey: 'stranger', sharedSecret: 'xyz' }),
    );
  };

  test.each([
    '../secrets',
    'a//b',
    '',
    'a..b/..',
    'http://evil.example/x',
    'k?x=1',
    'k%2e',
    '.hidden',
  ])('an install with the key id %j is refused without a fetch', async (kid) => {
    expect((await install(kid)).status).toBe(401);
    expect(asked).toEqual([]);
  });

  test('an install by a key that Atlassian does not have is refused, and asked for once', async () => {
    expect((await install('unknown-key')).status).toBe(401);
    expect((await install('unknown-key')).status).toBe(401);
    expect(asked).toEqual(['/unknown-key']);
  });

  test('an install while the key server is down is a fault, and no refusal', async () => {
    answer = 500;
    const reply = await install('some-key');
    expect(reply.status).toBe(503);
    expect(await reply.json()).not.toHaveProperty('errorResponseCode');
  });

  test('a hook of Forge’s while its keys cannot be had is a fault, and no refusal', async () => {
    const token = invocationToken(
      { kid: 'some-key', privateKey },
      {
        appId: residency.app.forge?.appId ?? '',
        installationId: `ari:cloud:ecosystem::installation/${randomUUID()}`,
        cloudId: randomUUID(),
        product: 'confluence',
      },
    );
    const url = `${host.urls['us']}/forge/migration/commit`;
    const reply = await post(url, `Bearer ${token}`, '{"migrationId":1}');
    expect(reply.status).toBe(503);
    expect(await reply.json()).not.toHaveProperty('errorResponseCode');
    expect(asked.at(-1)).toBe('/forge');
  });

  test('whatever is refused has a line in the log, without its token', () => {
    const text = lines.join('\n');
    expect(text).toContain('401: ');
    expect(text).not.toMatch(TOKEN);
    expect(text).not.toContain('    at ');
  });
});

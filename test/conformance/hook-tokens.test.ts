/**
 * Tokens of the migration hooks over HTTP: one kind is accepted, and all others are answered 401
 * with the same body.
 */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROUTES } from '../../lib/routes.ts';
import { hs256, installKeyPair, respellings, rs256, unsigned } from '../support/tokens.ts';
import { facts } from '../support/world.ts';
import {
  type Claims,
  epoch,
  KID,
  type SigningHost,
  startSigningHost,
  UNAUTHORIZED,
} from './signing-host.ts';

const TENANT = 'careful';
const SECRET = 'the secret of careful';
const OTHER = { tenant: 'other', secret: 'the secret of another' };
const HOOKS = ROUTES.filter(({ scheme }) => scheme === 'connect-jwt');
const SCHEDULE = { method: 'POST', target: '/dare-migration/schedule' };
const STATUS = { method: 'GET', target: '/dare-migration/status?migrationId=57500' };

let host: SigningHost;
beforeAll(async () => {
  host = await startSigningHost();
  await host.install(TENANT, SECRET);
  await host.install(OTHER.tenant, OTHER.secret);
});
afterAll(() => host[Symbol.asyncDispose]());

/** Claims that fit the request, except for `rest`. */
const claims = (method: string, path: string, rest: Claims = {}) =>
  host.hookClaims(TENANT, method, path, rest);
const without = (from: Claims, name: string): Claims =>
  Object.fromEntries(Object.entries(from).filter(([key]) => key !== name));
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

type Forge = (method: string, path: string) => string | undefined;

const FORGED: Readonly<Record<string, Forge>> = {
  'no token': () => undefined,
  'algorithm none, without a signature': (m, p) => unsigned(claims(m, p)),
  'algorithm None': (m, p) => unsigned(claims(m, p), { alg: 'None', typ: 'JWT' }),
  'algorithm none, with a good signature': (m, p) => hs256(claims(m, p), SECRET, { alg: 'none' }),
  'algorithm RS256, by a key of the attacker’s': (m, p) =>
    rs256(claims(m, p), installKeyPair().privateKey, { alg: 'RS256', kid: KID }),
  'algorithm RS256 in the header, and the tenant’s secret': (m, p) =>
    hs256(claims(m, p), SECRET, { alg: 'RS256' }),
  'algorithm HS256, with the public install key as the secret': (m, p) =>
    hs256(claims(m, p), host.publicKey),
  'algorithm HS512': (m, p) => {
    const content = `${encoded({ alg: 'HS512' })}.${encoded(claims(m, p))}`;
    return `${content}.${createHmac('sha512', SECRET).update(content).digest('base64url')}`;
  },
  'algorithm hs256': (m, p) => hs256(claims(m, p), SECRET, { alg: 'hs256' }),
  'a list of algorithms': (m, p) => hs256(claims(m, p), SECRET, { alg: ['HS256'] }),
  'no algorithm': (m, p) => hs256(claims(m, p), SECRET, { typ: 'JWT' }),
  'a header that is a list': (m, p) => hs256(claims(m, p), SECRET, ['HS256']),
  'the secret of another tenant': (m, p) => hs256(claims(m, p), OTHER.secret),
  'an empty secret': (m, p) => hs256(claims(m, p), ''),
  'an unknown tenant': (m, p) => hs256(claims(m, p, { iss: 'nobody' }), SECRET),
  'a tenant with the name of a property': (m, p) =>
    hs256(claims(m, p, { iss: '__proto__' }), SECRET),
  'the partition of the realm itself as tenant': (m, p) =>
    hs256(claims(m, p, { iss: '#realm' }), SECRET),
  'another tenant’s record by a longer name': (m, p) =>
    hs256(claims(m, p, { iss: `${TENANT}#00` }), SECRET),
  'no issuer': (m, p) => hs256(without(claims(m, p), 'iss'), SECRET),
  'an issuer that is a list': (m, p) => hs256(claims(m, p, { iss: [TENANT] }), SECRET),
  'no expiry': (m, p) => hs256(without(claims(m, p), 'exp'), SECRET),
  'an expiry that is a text': (m, p) => hs256(claims(m, p, { exp: String(epoch() + 180) }), SECRET),
  'an expiry of null': (m, p) => hs256(claims(m, p, { exp: null }), SECRET),
  'an expiry that has passed by more than the leeway': (m, p) =>
    hs256(claims(m, p, { iat: epoch() - 300, exp: epoch() - 65 }), SECRET),
  'no time of issue': (m, p) => hs256(without(claims(m, p), 'iat'), SECRET),
  'a time of issue in the future': (m, p) =>
    hs256(claims(m, p, { iat: epoch() + 65, exp: epoch() + 245 }), SECRET),
  'a beginning in the future': (m, p) => hs256(claims(m, p, { nbf: epoch() + 65 }), SECRET),
  'context-qsh': (m, p) => hs256(claims(m, p, { qsh: 'context-qsh' }), SECRET),
  'no hash of the request': (m, p) => hs256(without(claims(m, p), 'qsh'), SECRET),
  'an empty hash': (m, p) => hs256(claims(m, p, { qsh: '' }), SECRET),
  'a hash in a list': (m, p) => hs256(claims(m, p, { qsh: [host.qsh(m, p)] }), SECRET),
  'a hash in capitals': (m, p) =>
    hs256(claims(m, p, { qsh: host.qsh(m, p).toUpperCase() }), SECRET),
  'the hash of another method': (m, p) =>
    hs256(claims(m, p, { qsh: host.qsh(m === 'GET' ? 'POST' : 'GET', p) }), SECRET),
  'the hash of another hook': (m, p) =>
    hs256(claims(m, p, { qsh: host.qsh(m, '/dare-migration/other') }), SECRET),
  'the hash of another query': (m, p) =>
    hs256(claims(m, p, { qsh: host.qsh(m, `${p}?migrationId=1`) }), SECRET),
  'a signature that is cut off': (m, p) => hs256(claims(m, p), SECRET).slice(0, -4),
  'a signature that is longer': (m, p) => `${hs256(claims(m, p), SECRET)}AAAA`,
  'an empty signature': (m, p) => hs256(claims(m, p), SECRET).replace(/[^.]*$/, ''),
  'claims that were changed after they were signed': (m, p) => {
    const [header, , signature] = hs256(claims(m, p), SECRET).split('.');
    return `${header}.${encoded(claims(m, p, { sub: 'admin' }))}.${signature}`;
  },
  'two segments': () => 'a.b',
  'four segments': (m, p) => `${hs256(claims(m, p), SECRET)}.x`,
  'nothing but dots': () => '..',
  'no JSON': () => 'bm8.bm8.bm8',
  'claims that are null': () => `${encoded({ alg: 'HS256' })}.${encoded(null)}.x`,
  'claims that are a thousand lists': () =>
    `${encoded({ alg: 'HS256' })}.${Buffer.from('['.repeat(1000)).toString('base64url')}.x`,
  'bytes that are no text': () => `${Buffer.from([0xff, 0xfe, 0]).toString('base64url')}.e30.x`,
  'more characters than are read': (m, p) =>
    hs256(claims(m, p, { padding: 'x'.repeat(6_500) }), SECRET),
};

describe.each(HOOKS)('$method $path', ({ method, path }) => {
  test('refuses the tenant’s own token in any other spelling', async () => {
    const others = respellings(hs256(claims(method, path), SECRET));
    for (const token of Object.values(others))
      expect(await host.send({ method, target: path, token })).toEqual(UNAUTHORIZED);
  });

  test.each(Object.entries(FORGED))('refuses %s', async (_, forge) => {
    const token = forge(method, path);
    const body = method === 'POST' ? { migrationId: 1, ...facts('DE') } : undefined;
    expect(await host.send({ method, target: path, token, body })).toEqual(UNAUTHORIZED);
  });

  test('accepts the tenant’s own token, and one that a clock is a minute off from', async () => {
    for (const rest of [{}, { iat: epoch() + 55 }, { iat: epoch() - 100, exp: epoch() - 55 }]) {
      const token = hs256(claims(method, path, rest), SECRET);
      expect((await host.send({ method, target: path, token })).status).not.toBe(401);
    }
  });
});

describe('the query', () => {
  const ask = (target: string, signedFor = target) =>
    host.send({
      ...STATUS,
      target,
      token: host.hookToken(TENANT, SECRET, 'GET', signedFor),
    });
  const at = (query: string) => `/dare-migration/status?${query}`;

  test.each([
    ['encoded where it need not be', 'migrationId=%35750%30', 'migrationId=57500'],
    ['encoded in small letters', 'note=a%2fb&migrationId=1', 'note=a%2Fb&migrationId=1'],
    ['with a plus for a space', 'note=a+b&migrationId=1', 'note=a%20b&migrationId=1'],
    ['in another order', 'migrationId=1&b=2&a=1', 'a=1&b=2&migrationId=1'],
    ['with a name twice', 'note=b&migrationId=1&note=a', 'note=a&note=b&migrationId=1'],
    ['with a name without a value', 'note&migrationId=1', 'note=&migrationId=1'],
    [
      'with characters that few encoders encode',
      "n=!'()*~&migrationId=1",
      "n=!'()*~&migrationId=1",
    ],
  ])('%s is what was signed', async (_, sent, signedFor) => {
    expect((await ask(at(sent), at(signedFor))).status).toBe(404); // never scheduled
  });

  test.each([
    ['with another value', 'migrationId=57501', 'migrationId=57500'],
    ['with one value more', 'migrationId=57500&migrationId=1', 'migrationId=57500'],
    ['with one value less', 'migrationId=57500', 'migrationId=57500&migrationId=1'],
    ['with a name more', 'migrationId=57500&x=', 'migrationId=57500'],
    ['with the name encoded twice', 'migration%2549d=57500', 'migrationId=57500'],
    ['with a comma for two values', 'migrationId=1%2C2', 'migrationId=1&migrationId=2'],
    ['with a name in other letters', 'migrationid=57500', 'migrationId=57500'],
  ])('%s is another request', async (_, sent, signedFor) => {
    expect(await ask(at(sent), at(signedFor))).toEqual(UNAUTHORIZED);
  });

  test('that names two migrations is refused, signed as it may be', async () => {
    const reply = await ask(at('migrationId=1&migrationId=2'));
    expect([reply.status, JSON.parse(reply.text)]).toMatchObject([
      400,
      { errorResponseCode: 'E9999' },
    ]);
  });

  test('may hold the token, which is no part of what it signs; a header goes before it', async () => {
    const token = host.hookToken(TENANT, SECRET, 'GET', STATUS.target);
    const inQuery = { ...STATUS, target: `${STATUS.target}&jwt=${token}` };
    expect((await host.send(inQuery)).status).toBe(404);
    expect(await host.send({ ...inQuery, token: 'a.b.c' })).toEqual(UNAUTHORIZED);
    expect(await host.send({ ...STATUS, target: `${STATUS.target}&jwt=${token}x` })).toEqual(
      UNAUTHORIZED,
    );
  });
});

describe('the path', () => {
  test.each([
    '/dare-migration/schedule/',
    '//dare-migration/schedule',
    '/dare-migration//schedule',
    '/dare-migration/./schedule',
    '/x/../dare-migration/schedule',
    '/DARE-MIGRATION/schedule',
    '/dare-migration/schedule;x=1',
    '/dare-migration%2Fschedule',
    '/us/dare-migration/schedule',
  ])('%s is no hook', async (target) => {
    for (const signedFor of [target, SCHEDULE.target]) {
      const token = host.hookToken(TENANT, SECRET, 'POST', signedFor);
      expect((await host.send({ ...SCHEDULE, target, token, body: {} })).status).toBe(404);
    }
  });

  test('is what was signed also where one side has encoded it, or ended it with a slash', async () => {
    const signedWithSlash = host.hookToken(TENANT, SECRET, 'POST', `${SCHEDULE.target}/`);
    const body = facts('JP');
    expect((await host.send({ ...SCHEDULE, token: signedWithSlash, body })).status).toBe(400);
    const token = host.hookToken(TENANT, SECRET, 'POST', SCHEDULE.target);
    const target = '/dare-migration/%73chedule';
    expect((await host.send({ ...SCHEDULE, target, token, body })).status).toBe(400);
  });
});

describe('a token that was captured', () => {
  const send = (
    hook: string,
    body: unknown,
    token = host.hookToken(TENANT, SECRET, 'POST', `/dare-migration/${hook}`),
  ) => host.send({ method: 'POST', target: `/dare-migration/${hook}`, token, body });

  test('cannot change what was agreed, nor act on another migration or hook', async () => {
    const window = facts('DE');
    const schedule = host.hookToken(TENANT, SECRET, 'POST', SCHEDULE.target);
    expect((await send('schedule', { ...window, migrationId: 7 }, schedule)).status).toBe(200);

    const elsewhere = await send('schedule', { ...facts('EU'), migrationId: 7 }, schedule);
    expect([elsewhere.status, elsewhere.text]).toEqual([
      409,
      expect.stringContaining('another window or location'),
    ]);
    expect(await send('start', { ...window, migrationId: 7 }, schedule)).toEqual(UNAUTHORIZED);

    const start = host.hookToken(TENANT, SECRET, 'POST', '/dare-migration/start');
    expect((await send('start', { ...facts('EU'), migrationId: 7 }, start)).status).toBe(409);
    expect((await send('start', { ...window, migrationId: 8 }, start)).status).toBe(404);
    for (const left of ['startTime', 'endTime', 'location']) {
      const without = Object.fromEntries(Object.entries(window).filter(([name]) => name !== left));
      const reply = await send('start', { ...without, migrationId: 7 }, start);
      expect([reply.status, reply.text]).toEqual([
        400,
        expect.stringContaining(`${left} is missing`),
      ]);
    }
    const status = '/dare-migration/status?migrationId=7';
    const asked = host.hookToken(TENANT, SECRET, 'GET', status);
    expect((await host.send({ method: 'GET', target: status, token: asked })).text).toContain(
      'scheduled',
    );
    expect((await send('commit', { migrationId: 7 })).status).toBe(409);
  });

  test('of one tenant does nothing to another’s migration', async () => {
    const theirs = (hook: string, method = 'POST', query = '') =>
      host.send({
        method,
        target: `/dare-migration/${hook}${query}`,
        token: host.hookToken(
          OTHER.tenant,
          OTHER.secret,
          method,
          `/dare-migration/${hook}${query}`,
        ),
        ...(method === 'POST' && { body: { migrationId: 7, ...facts('DE') } }),
      });
    expect((await theirs('status', 'GET', '?migrationId=7')).status).toBe(404);
    expect((await theirs('start')).status).toBe(404);
    expect((await theirs('commit')).status).toBe(404);
    expect((await theirs('rollback')).status).toBe(200); // an id that was never theirs
    const token = host.hookToken(TENANT, SECRET, 'GET', '/dare-migration/status?migrationId=7');
    const mine = await host.send({
      ...STATUS,
      target: '/dare-migration/status?migrationId=7',
      token,
    });
    expect(JSON.parse(mine.text)).toEqual({ status: 'scheduled' });
  });
});

describe('the app’s own routes', () => {
  const PUT = { method: 'PUT', target: '/templates/t', body: { text: 'x' } };

  test('take a browser’s token too, which the hooks do not', async () => {
    const context = hs256(claims('GET', '/', { qsh: 'context-qsh' }), SECRET);
    expect((await host.send({ ...PUT, token: context })).status).toBe(200);
    const bound = host.hookToken(TENANT, SECRET, 'PUT', '/templates/t');
    expect((await host.send({ ...PUT, token: bound })).status).toBe(200);
    expect(await host.send({ ...PUT, target: '/templates/u', token: bound })).toEqual(UNAUTHORIZED);
  });

  test.each(Object.entries(FORGED).filter(([name]) => name !== 'context-qsh'))(
    'refuse %s',
    async (_, forge) => {
      const token = forge('PUT', '/templates/t');
      expect(await host.send({ ...PUT, token })).toEqual(UNAUTHORIZED);
    },
  );
});

describe('the log', () => {
  test('has a line for every refusal, and no secret and no token in any', () => {
    const text = host.lines.join('\n');
    expect(text.match(/"401: /g)?.length).toBeGreaterThan(6 * Object.keys(FORGED).length);
    expect(text).not.toContain('unexpected');
    for (const secret of [SECRET, OTHER.secret]) expect(text).not.toContain(secret);
    expect(text).not.toMatch(/eyJ[\w-]{8,}/);
  });
});

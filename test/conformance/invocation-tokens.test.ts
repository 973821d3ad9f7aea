/**
 * Forge invocation tokens over HTTP: one kind is accepted, and all others are answered 401 with the
 * same body.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Invocation, invocationClaims } from '../../lib/atlassian-tokens.ts';
import { ROUTES } from '../../lib/routes.ts';
import { residency } from '../../residency.config.ts';
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

const APP = residency.app.forge?.appId ?? '';
const OTHER_APP = 'ari:cloud:ecosystem::app/00000000-0000-4000-8000-000000000000';
const installationId = (number: number) =>
  `ari:cloud:ecosystem::installation/00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const MINE: Invocation = {
  appId: APP,
  installationId: installationId(1),
  cloudId: randomUUID(),
  product: 'confluence',
};
const THEIRS: Invocation = { ...MINE, installationId: installationId(2), cloudId: randomUUID() };
const FORGE = ROUTES.filter(({ scheme }) => scheme.startsWith('forge-')).map((route) => ({
  ...route,
  target: route.path.replace('{id}', 'one'),
}));
const HOOKS = FORGE.filter(({ scheme }) => scheme === 'forge-hook');

let host: SigningHost;
/** Valid claims, except for `rest`. */
const claims = (rest: Claims = {}): Claims => ({ ...invocationClaims(MINE), ...rest });
const app = (rest: Claims): Claims => claims({ app: { ...Object(claims()['app']), ...rest } });
const without = (name: string): Claims =>
  Object.fromEntries(Object.entries(claims()).filter(([key]) => key !== name));
const signed = (from: Claims, header: Claims = {}) => host.signedInstall(from, header);
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const as = (who: Invocation) => signed(invocationClaims(who));

beforeAll(async () => {
  host = await startSigningHost();
  await installAgain();
});

/**
 * After an uninstallation, by a newer token: one of the same second would be a repetition of the
 * first.
 */
async function installAgain(after = 0): Promise<void> {
  for (const who of [MINE, THEIRS]) {
    const target = '/forge/lifecycle/installed';
    const body = { id: who.installationId.split('/').at(-1) };
    const reply = await host.send({
      method: 'POST',
      target,
      token: signed({ ...invocationClaims(who), iat: epoch() + after }),
      scheme: 'Bearer',
      body,
    });
    expect(reply.status).toBe(204);
  }
}
afterAll(() => host[Symbol.asyncDispose]());

const FORGED: Readonly<Record<string, () => string | undefined>> = {
  'no token': () => undefined,
  'algorithm none, without a signature': () => unsigned(claims()),
  'algorithm none, with a good key id': () => unsigned(claims(), { alg: 'none', kid: KID }),
  'algorithm HS256, with the public key as the secret': () =>
    hs256(claims(), host.publicKey, { alg: 'HS256', kid: KID }),
  'algorithm RS256 in the header, and the public key as the secret': () =>
    hs256(claims(), host.publicKey, { alg: 'RS256', kid: KID }),
  'algorithm RS512 in the header': () => signed(claims(), { alg: 'RS512' }),
  'algorithm rs256': () => signed(claims(), { alg: 'rs256' }),
  'a list of algorithms': () => signed(claims(), { alg: ['RS256'] }),
  'a key of the attacker’s, under our key id': () =>
    rs256(claims(), installKeyPair().privateKey, { alg: 'RS256', kid: KID }),
  'a key of the attacker’s, in the header': () => {
    const { publicKey, privateKey } = installKeyPair();
    return rs256(claims(), privateKey, { alg: 'RS256', kid: KID, jwk: publicKey });
  },
  'a key set of the attacker’s, in the header': () =>
    signed(claims(), { kid: 'unknown', jku: 'http://127.0.0.1:1/jwks.json' }),
  'an unknown key id': () => signed(claims(), { kid: 'another' }),
  'no key id': () => signed(claims(), { kid: undefined }),
  'a key id that is a path': () => signed(claims(), { kid: `../../${KID}\n` }),
  'a key id that is a list': () => signed(claims(), { kid: [KID] }),
  'a key id that is a novel': () => signed(claims(), { kid: 'k'.repeat(5_000) }),
  'a header that must be understood, and is not': () => signed(claims(), { crit: ['x'], x: 1 }),
  'another issuer': () => signed(claims({ iss: 'forge/other' })),
  'no issuer': () => signed(without('iss')),
  'another audience': () => signed(claims({ aud: OTHER_APP })),
  'no audience': () => signed(without('aud')),
  'an audience that is this realm’s base URL': () => signed(claims({ aud: host.urlOf('us') })),
  'another app': () => signed(app({ id: OTHER_APP })),
  'the token of another app': () => signed(invocationClaims({ ...MINE, appId: OTHER_APP })),
  'no app': () => signed(without('app')),
  'an app that is a text': () => signed(claims({ app: APP })),
  'another environment': () => signed(invocationClaims({ ...MINE, environment: 'DEVELOPMENT' })),
  'no environment': () => signed(app({ environment: undefined })),
  'an environment that is a text': () => signed(app({ environment: 'PRODUCTION' })),
  'an expiry that has passed by more than the leeway': () =>
    signed(claims({ iat: epoch() - 60, nbf: epoch() - 60, exp: epoch() - 20 })),
  'no expiry': () => signed(without('exp')),
  'an expiry that is a text': () => signed(claims({ exp: String(epoch() + 25) })),
  'a beginning in the future': () => signed(claims({ nbf: epoch() + 20 })),
  'a beginning that is a text': () => signed(claims({ nbf: String(epoch()) })),
  'a time of issue in the future': () => signed(claims({ iat: epoch() + 20 })),
  'no time of issue': () => signed(without('iat')),
  'an empty id': () => signed(claims({ jti: '' })),
  'the label of an isolated cloud': () => signed(claims({ icLabel: 'one' })),
  'a label that is a path': () => signed(claims({ icLabel: '../x' })),
  'an id that is no text': () => signed(claims({ jti: 7 })),
  'no installation': () => signed(app({ installationId: undefined })),
  'an installation that is no text': () => signed(app({ installationId: [MINE.installationId] })),
  'an installation that is another thing': () => signed(app({ installationId: APP })),
  'an installation with something behind it': () =>
    signed(app({ installationId: `${MINE.installationId}#x` })),
  'a signature that is cut off': () => as(MINE).slice(0, -4),
  'an empty signature': () => as(MINE).replace(/[^.]*$/, ''),
  'claims that were changed after they were signed': () => {
    const [header, , signature] = as(MINE).split('.');
    return `${header}.${encoded(invocationClaims(THEIRS))}.${signature}`;
  },
  'two segments': () => 'a.b',
  'four segments': () => `${as(MINE)}.x`,
  'nothing but dots': () => '..',
  ...Object.fromEntries(
    ['unused bits of its signature set', 'a padded signature'].map((spelling) => [
      spelling,
      () => respellings(as(MINE))[spelling],
    ]),
  ),
  'no JSON': () => 'bm8.bm8.bm8',
  'claims that are null': () => `${encoded({ alg: 'RS256', kid: KID })}.${encoded(null)}.x`,
  'five segments, as of an encrypted token': () =>
    `${encoded({ alg: 'RS256', kid: 'k', enc: 'A128GCM' })}.a.b.c.d`,
  'more characters than are read': () => signed(claims({ padding: 'x'.repeat(5_600) })),
  'a Connect token of the tenant': () =>
    host.hookToken(MINE.installationId, 'any secret', 'POST', '/forge/migration/schedule'),
};

describe.each(FORGE)('$method $path', ({ method, target }) => {
  test.each(Object.entries(FORGED))('refuses %s', async (_, forge) => {
    const body =
      method === 'GET' || method === 'DELETE' ? undefined : { migrationId: 1, ...facts('DE') };
    const request = { method, target, token: forge(), scheme: 'Bearer', body };
    expect(await host.send(request)).toEqual(UNAUTHORIZED);
  });

  test('takes a good token as Bearer, and in no other place', async () => {
    const token = as(MINE);
    const good = await host.send({ method, target, token, scheme: 'Bearer' });
    expect(good.status).not.toBe(401);
    if (target.endsWith('/uninstalled')) await installAgain(5);
    expect(await host.send({ method, target, token, scheme: 'JWT' })).toEqual(UNAUTHORIZED);
    expect(await host.send({ method, target: `${target}?jwt=${token}` })).toEqual(UNAUTHORIZED);
    const asCookie = { cookie: `authorization=Bearer ${token}` };
    expect(await host.send({ method, target, headers: asCookie })).toEqual(UNAUTHORIZED);
  });
});

describe('a good token', () => {
  const status = (token: string) =>
    host.send({
      method: 'GET',
      target: '/forge/migration/status?migrationId=1',
      token,
      scheme: 'Bearer',
    });

  test.each<[string, () => Claims]>([
    [
      'whose clock is a little ahead',
      () => ({ iat: epoch() + 10, nbf: epoch() + 10, exp: epoch() + 40 }),
    ],
    ['that has just expired', () => ({ iat: epoch() - 35, nbf: epoch() - 35, exp: epoch() - 5 })],
    ['without a beginning', () => ({ nbf: undefined })],
    ['without an id', () => ({ jti: undefined })],
    ['without either', () => ({ nbf: undefined, jti: undefined })],
    ['whose label of an isolated cloud is null', () => ({ icLabel: null })],
    ['that is made out to several, us among them', () => ({ aud: [OTHER_APP, APP] })],
    [
      'with the context of a module',
      () => ({ context: { cloudId: MINE.cloudId, siteUrl: 'https://x.example' } }),
    ],
  ])('%s is accepted', async (_, rest) => {
    expect((await status(signed(claims(rest())))).status).toBe(404);
  });

  test('of one tenant does nothing to another’s migration', async () => {
    const call = (who: Invocation, hook: string, body: object) =>
      host.send({
        method: 'POST',
        target: `/forge/migration/${hook}`,
        token: as(who),
        scheme: 'Bearer',
        body,
      });
    const window = facts('DE');
    expect((await call(MINE, 'schedule', { ...window, migrationId: 7 })).status).toBe(200);
    expect((await call(THEIRS, 'start', { ...window, migrationId: 7 })).status).toBe(404);
    expect((await call(THEIRS, 'commit', { migrationId: 7 })).status).toBe(404);
    // an id that was never theirs
    expect((await call(THEIRS, 'rollback', { migrationId: 7 })).status).toBe(200);
    const target = '/forge/migration/status?migrationId=7';
    const mine = await host.send({ method: 'GET', target, token: as(MINE), scheme: 'Bearer' });
    expect(JSON.parse(mine.text)).toEqual({ status: 'scheduled' });
  });

  test('of an installation at a site without a known tenant is refused, and the log says which ids were unknown', async () => {
    const stranger = { ...MINE, installationId: installationId(3), cloudId: randomUUID() };
    expect(await status(as(stranger))).toEqual(UNAUTHORIZED);
    const line = host.lines.find((each) => each.includes(stranger.installationId));
    expect(line).toContain(stranger.cloudId);
  });

  test('of a workspace of Bitbucket is good for its installation, and for no other workspace’s', async () => {
    const workspace = (number: number): Claims => {
      const base = invocationClaims({ ...MINE, installationId: installationId(number) });
      const workspaceId = `{00000000-0000-4000-8000-${String(number).padStart(12, '0')}}`;
      const contexts = [{ name: 'bitbucket', workspaceId }];
      return {
        ...base,
        app: { ...Object(base['app']), installation: { contexts } },
        context: { workspaceId, siteUrl: 'https://bitbucket.org' },
      };
    };
    const post = (target: string, from: Claims, body: object) =>
      host.send({ method: 'POST', target, token: signed(from), scheme: 'Bearer', body });
    expect((await post('/forge/lifecycle/installed', workspace(11), {})).status).toBe(204);
    const schedule = { migrationId: 11, ...facts('DE') };
    expect(await post('/forge/migration/schedule', workspace(12), schedule)).toEqual(UNAUTHORIZED);
    const line = host.lines.find((each) => each.includes(installationId(12)));
    expect(line).toContain('of workspace {00000000-0000-4000-8000-000000000012}');
    expect((await post('/forge/lifecycle/installed', workspace(12), {})).status).toBe(204);
    expect((await post('/forge/migration/schedule', workspace(12), schedule)).status).toBe(200);
    const target = '/forge/migration/status?migrationId=11';
    const asked = await host.send({
      method: 'GET',
      target,
      token: signed(workspace(11)),
      scheme: 'Bearer',
    });
    expect(asked.status).toBe(404);
  });

  test('is refused by every route of the other door', async () => {
    const others = ROUTES.filter(
      ({ scheme }) => !scheme.startsWith('forge-') && scheme !== 'public',
    );
    for (const { method, path } of others) {
      const target = path.replace('{id}', 'one');
      for (const scheme of ['Bearer', 'JWT'])
        expect(await host.send({ method, target, token: as(MINE), scheme })).toEqual(UNAUTHORIZED);
    }
  });
});

test('a Connect tenant’s own token is refused by every route of the Forge door, as JWT and as Bearer', async () => {
  await host.install('connected', 'the secret of connected');
  for (const { method, target } of FORGE) {
    const token = host.hookToken('connected', 'the secret of connected', method, target);
    for (const scheme of ['JWT', 'Bearer'])
      expect(await host.send({ method, target, token, scheme })).toEqual(UNAUTHORIZED);
    expect(await host.send({ method, target: `${target}?jwt=${token}` })).toEqual(UNAUTHORIZED);
  }
});

test('a stranger’s token from the host name of a Connect tenant is nobody’s: on no route, and it retires nobody', async () => {
  await host.install('renamed', 'the secret of renamed');
  const stranger = { ...MINE, installationId: installationId(4), cloudId: randomUUID() };
  // That host was the tenant's before, and is another site's now.
  const context = { cloudId: stranger.cloudId, siteUrl: 'https://renamed.example' };
  const knock = (method: string, target: string) =>
    host.send({
      method,
      target,
      token: signed({ ...invocationClaims(stranger), context }),
      scheme: 'Bearer',
      ...(method === 'GET' || method === 'DELETE'
        ? {}
        : { body: { migrationId: 9, ...facts('DE') } }),
    });
  for (const { method, target, path } of FORGE) {
    if (path.startsWith('/forge/lifecycle/')) continue;
    expect(await knock(method, target), path).toEqual(UNAUTHORIZED);
  }
  expect((await knock('POST', '/forge/lifecycle/uninstalled')).status).toBe(204);
  const path = '/dare-migration/status';
  const token = host.hookToken('renamed', 'the secret of renamed', 'GET', path);
  const schedule = '/dare-migration/schedule';
  const own = host.hookToken('renamed', 'the secret of renamed', 'POST', schedule);
  expect((await host.send({ method: 'GET', target: path, token })).status).toBe(404);
  const body = { migrationId: 10, ...facts('DE') };
  expect((await host.send({ method: 'POST', target: schedule, token: own, body })).status).toBe(
    200,
  );
});

test('a tenant without a secret is nobody’s by Connect, not even with an empty one', async () => {
  const tenant = `#forge-${MINE.installationId.split('/').at(-1)}`;
  for (const { method, path } of ROUTES.filter(({ scheme }) => scheme === 'connect-jwt')) {
    for (const secret of ['', 'undefined']) {
      const token = host.hookToken(tenant, secret, method, path);
      expect(await host.send({ method, target: path, token })).toEqual(UNAUTHORIZED);
    }
  }
});

test('an event of another installation, or of another name, is not taken', async () => {
  const event = (name: string, body: object) =>
    host.send({
      method: 'POST',
      target: `/forge/lifecycle/${name}`,
      token: as(MINE),
      scheme: 'Bearer',
      body,
    });
  expect((await event('installed', { id: randomUUID() })).status).toBe(400);
  expect((await event('installed', { eventType: 'avi:forge:uninstalled:app' })).status).toBe(400);
  expect((await event('upgraded', { eventType: 'avi:forge:upgraded:app' })).status).toBe(204);
});

test('keys were asked for by their one address alone, and no line of the log holds a token', () => {
  expect(new Set(host.askedForKeys)).toEqual(new Set(['/jwks.json', `/${KID}`]));
  expect(HOOKS).toHaveLength(5);
  const text = host.lines.join('\n');
  expect(text.match(/"401: /g)?.length).toBeGreaterThan(5 * Object.keys(FORGED).length);
  expect(text).not.toContain('unexpected');
  expect(text).not.toMatch(/eyJ[\w-]{8,}/);
});

/**
 * Signed installs over HTTP: by a key of Atlassian, for this app and this request; all others are
 * answered 401 with the same body.
 */
import { hash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hs256, installKeyPair, respellings, rs256, unsigned } from '../support/tokens.ts';
import {
  type Claims,
  epoch,
  KID,
  type SigningHost,
  startSigningHost,
  UNAUTHORIZED,
  URLS_OF_DE,
} from './signing-host.ts';

const TENANT = 'arrives';
const SECRET = 'a secret that stays';
const stranger = installKeyPair();

let host: SigningHost;
beforeAll(async () => {
  host = await startSigningHost();
  await host.install(TENANT, SECRET);
});
afterAll(() => host[Symbol.asyncDispose]());

const claims = (path: string, rest: Claims = {}) => host.installClaims(TENANT, path, rest);
const without = (from: Claims, name: string): Claims =>
  Object.fromEntries(Object.entries(from).filter(([key]) => key !== name));

type Forge = (path: string) => string | undefined;

const FORGED: Readonly<Record<string, Forge>> = {
  'no token': () => undefined,
  'algorithm none': (path) => unsigned(claims(path), { alg: 'none', kid: KID }),
  'algorithm HS256, with the public key as the secret': (path) =>
    hs256(claims(path), host.publicKey, { alg: 'HS256', kid: KID }),
  'algorithm RS256 in the header, and an HMAC by the public key': (path) =>
    hs256(claims(path), host.publicKey, { alg: 'RS256', kid: KID }),
  'the tenant’s own secret': (path) => hs256(claims(path), SECRET, { alg: 'HS256', kid: KID }),
  'algorithm RS512': (path) => host.signedInstall(claims(path), { alg: 'RS512' }),
  'algorithm PS256': (path) => host.signedInstall(claims(path), { alg: 'PS256' }),
  'a key of the attacker’s under a key id of Atlassian’s': (path) =>
    rs256(claims(path), stranger.privateKey, { alg: 'RS256', kid: KID }),
  'a key of the attacker’s in the header': (path) =>
    rs256(claims(path), stranger.privateKey, {
      alg: 'RS256',
      kid: KID,
      jwk: { kty: 'RSA', n: 'x', e: 'AQAB' },
      jku: 'http://127.0.0.1:1/keys',
      x5u: 'http://127.0.0.1:1/cert',
      x5c: [stranger.publicKey],
    }),
  'a key id that nobody knows': (path) => host.signedInstall(claims(path), { kid: 'nobody-s' }),
  'another app’s audience': (path) =>
    host.signedInstall(claims(path, { aud: 'https://other.example' })),
  'another realm’s audience': (path) => host.signedInstall(claims(path, { aud: host.urlOf('de') })),
  'what is listed for another realm': (path) =>
    host.signedInstall(claims(path, { aud: URLS_OF_DE[1] })),
  'an audience that only begins like ours': (path) =>
    host.signedInstall(claims(path, { aud: `${host.urlOf('us')}.example` })),
  'no audience': (path) => host.signedInstall(without(claims(path), 'aud')),
  'an audience that is an object': (path) =>
    host.signedInstall(claims(path, { aud: { [host.urlOf('us')]: true } })),
  'an expiry that has passed': (path) =>
    host.signedInstall(claims(path, { iat: epoch() - 300, exp: epoch() - 65 })),
  'no expiry': (path) => host.signedInstall(without(claims(path), 'exp')),
  'no time of issue': (path) => host.signedInstall(without(claims(path), 'iat')),
  'a time of issue in the future': (path) =>
    host.signedInstall(claims(path, { iat: epoch() + 65 })),
  'context-qsh': (path) => host.signedInstall(claims(path, { qsh: 'context-qsh' })),
  'no hash of the request': (path) => host.signedInstall(without(claims(path), 'qsh')),
  'the hash of another path': (path) =>
    host.signedInstall(claims(path, { qsh: host.qsh('POST', `${path}s`) })),
  'another issuer than the body’s tenant': (path) =>
    host.signedInstall(claims(path, { iss: 'somebody-else' })),
  'no issuer': (path) => host.signedInstall(without(claims(path), 'iss')),
  'more characters than are read': (path) =>
    host.signedInstall(claims(path, { padding: 'x'.repeat(6_500) })),
};

const HOSTILE_KEY_IDS: readonly unknown[] = [
  undefined,
  null,
  7,
  {},
  [KID],
  '',
  '.',
  '..',
  '../keys',
  `x/../${KID}`,
  `${KID}/`,
  `/${KID}`,
  KID.replace('/', '//'),
  KID.replace('/', '/./'),
  KID.replace('/', '/../'),
  KID.replace('/', '/.../'),
  KID.replace('/', '\\'),
  KID.replace('/', '%2f'),
  `${KID}/${'k'.repeat(100)}`,
  `${KID}?x=1`,
  `${KID}#x`,
  `%2e%2e%2f${KID}`,
  `${KID}\u0000`,
  `${KID}\n`,
  `ｋid-1`,
  'http://evil.example/key',
  '//evil.example/key',
  '@evil.example',
  '-rf',
  'k'.repeat(129),
];

const body = { clientKey: TENANT, sharedSecret: 'a secret that was slipped in' };

describe.each(['/installed', '/uninstalled'])('POST %s', (target) => {
  test.each(Object.entries(FORGED))('refuses %s', async (_, forge) => {
    expect(await host.send({ method: 'POST', target, token: forge(target), body })).toEqual(
      UNAUTHORIZED,
    );
  });

  test.each(HOSTILE_KEY_IDS)('refuses the key id %j, and fetches nothing', async (kid) => {
    const asked = host.askedForKeys.length;
    const token = host.signedInstall(claims(target), { kid });
    expect(await host.send({ method: 'POST', target, token, body })).toEqual(UNAUTHORIZED);
    expect(host.askedForKeys.length).toBe(asked);
  });

  test('refuses a query that was not signed', async () => {
    const token = host.signedInstall(claims(target));
    const reply = await host.send({ method: 'POST', target: `${target}?user=1`, token, body });
    expect(reply).toEqual(UNAUTHORIZED);
  });
});

describe('a tenant whose install was forged in every way', () => {
  test('is active as before, with the secret that it had', async () => {
    const target = '/dare-migration/status?migrationId=1';
    const ask = (secret: string) =>
      host.send({
        method: 'GET',
        target,
        token: host.hookToken(TENANT, secret, 'GET', target),
      });
    expect((await ask(SECRET)).status).toBe(404);
    expect(await ask(body.sharedSecret)).toEqual(UNAUTHORIZED);
  });
});

describe('an install that comes again with another secret', () => {
  const target = '/installed';
  const sent = (tenant: string, token: string, sharedSecret: string) =>
    host.send({ method: 'POST', target, token, body: { clientKey: tenant, sharedSecret } });
  const works = async (tenant: string, secret: string) => {
    const status = '/dare-migration/status?migrationId=1';
    const token = host.hookToken(tenant, secret, 'GET', status);
    return (await host.send({ method: 'GET', target: status, token })).status === 404;
  };

  test('by the same token changes nothing, and in another spelling it is refused', async () => {
    const tenant = 'replayed';
    const token = host.signedInstall(host.installClaims(tenant, target));
    expect((await sent(tenant, token, 'the first secret')).status).toBe(204);
    expect((await sent(tenant, token, 'a second secret')).status).toBe(204);
    for (const other of Object.values(respellings(token)))
      expect(await sent(tenant, other, 'a second secret')).toEqual(UNAUTHORIZED);
    expect(await works(tenant, 'the first secret')).toBe(true);
    expect(await works(tenant, 'a second secret')).toBe(false);
  });
});

describe('an audience', () => {
  test.each([
    ['the realm’s own base URL', () => host.urlOf('de')],
    ['with a slash at its end', () => `${host.urlOf('de')}/`],
    ['the default base URL', () => host.urlOf('us')],
    ['a deployed base URL, which a router on this machine stands for', () => URLS_OF_DE[0]],
    ['any other that is listed for the realm', () => URLS_OF_DE[1]],
    ['one of several', () => ['https://other.example', host.urlOf('de')]],
  ])('may be %s', async (name, aud) => {
    const tenant = `audience-${hash('sha256', name).slice(0, 8)}`;
    const token = host.signedInstall(host.installClaims(tenant, '/installed', { aud: aud() }));
    const reply = await host.send(
      {
        method: 'POST',
        target: '/installed',
        token,
        body: { clientKey: tenant, sharedSecret: 'xyz' },
      },
      'de',
    );
    expect(reply).toEqual({ status: 204, text: '' });
  });
});

describe('a known tenant that is installed in another realm', () => {
  test('is taken over only by a newer token, and serves in one realm', async () => {
    const tenant = 'wanders';
    const secret = { de: 'the secret for de', us: 'the secret for us' };
    await host.install(tenant, secret.us);
    const install = (iat: number) =>
      host.send(
        {
          method: 'POST',
          target: '/installed',
          token: host.signedInstall(
            host.installClaims(tenant, '/installed', { aud: host.urlOf('de'), iat }),
          ),
          body: { clientKey: tenant, sharedSecret: secret.de },
        },
        'de',
      );
    const serves = async (realm: 'us' | 'de') =>
      (
        await host.send(
          {
            method: 'GET',
            target: '/templates/t',
            token: host.hookToken(tenant, secret[realm], 'GET', '/templates/t'),
          },
          realm,
        )
      ).status === 404; // served, and no such template
    await install(epoch() - 100);
    expect([await serves('us'), await serves('de')]).toEqual([true, false]);
    await install(epoch() + 1);
    expect([await serves('us'), await serves('de')]).toEqual([false, true]);
  });
});

describe('the log', () => {
  test('has no secret, no token and no key in it', () => {
    const text = host.lines.join('\n');
    expect(text).toContain('401: ');
    expect(text).not.toContain('unexpected');
    for (const secret of [SECRET, body.sharedSecret, 'BEGIN PUBLIC KEY'])
      expect(text).not.toContain(secret);
    expect(text).not.toMatch(/eyJ[\w-]{8,}/);
  });
});

/** Connect's tokens: which are accepted, and that all others are refused. */
import { createQueryStringHash, encodeSymmetric, fromMethodAndUrl } from 'atlassian-jwt';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectJwt, type SignedRequest } from '../../../lambdas/adapters/tokens/connect-jwt.ts';
import { installKeys } from '../../../lambdas/adapters/tokens/install-keys.ts';
import { queryStringHash } from '../../../lambdas/adapters/tokens/qsh.ts';
import { Fault, Unauthenticated } from '../../../lambdas/domain/refusal.ts';
import { manualClock } from '../../support/clock.ts';
import { type KeyAnswer, type KeyServer, startKeyServer } from '../../support/key-server.ts';
import { hs256, installKeyPair, rs256, unsigned } from '../../support/tokens.ts';

const clock = manualClock();
const NOW = clock.now() / 1000;
const SECRET = 'a shared secret';
const KID = 'key-1';
const { publicKey, privateKey } = installKeyPair();
const other = installKeyPair();

type Claims = Readonly<Record<string, unknown>>;
const request = (token: string | undefined, rest: Partial<SignedRequest> = {}): SignedRequest => ({
  token,
  method: 'POST',
  path: '/dare-migration/start',
  rawQuery: '',
  ...rest,
});
const qsh = queryStringHash('POST', '/dare-migration/start', '');
const claims = (rest: Claims = {}): Claims => ({
  iss: 'tenant-1',
  iat: NOW,
  exp: NOW + 180,
  qsh,
  ...rest,
});

let server: KeyServer | undefined;
let answer: KeyAnswer = { status: 200, body: publicKey };
let jwt = connectJwt({ keys: installKeys(['http://127.0.0.1:9'], clock), clock });
beforeAll(async () => {
  server = await startKeyServer(() => answer);
});
beforeEach(() => {
  answer = { status: 200, body: publicKey };
  jwt = connectJwt({ keys: installKeys([server?.url ?? ''], clock), clock });
});
afterAll(async () => server?.close());

/** Both ways in which a hook uses a tenant's token. */
function verified(token: string | undefined, rest: Partial<SignedRequest> = {}, secret = SECRET) {
  const claimed = jwt.claimedBy(request(token, rest), 'request');
  jwt.verifySignature(token ?? '', secret);
  return claimed;
}

describe('a tenant’s token', () => {
  test('is accepted, and says from whom and since when', () => {
    expect(verified(hs256(claims(), SECRET))).toEqual({ iss: 'tenant-1', iat: NOW });
  });

  test('of the library that Atlassian publishes is accepted', () => {
    const hash = createQueryStringHash(
      fromMethodAndUrl('POST', '/dare-migration/start'),
      false,
      '',
    );
    expect(verified(encodeSymmetric(claims({ qsh: hash }), SECRET)).iss).toBe('tenant-1');
  });

  test('is accepted with a clock that differs by less than a minute', () => {
    expect(verified(hs256(claims({ exp: NOW - 59 }), SECRET)).iss).toBe('tenant-1');
    expect(verified(hs256(claims({ iat: NOW + 59 }), SECRET)).iss).toBe('tenant-1');
    expect(verified(hs256(claims({ nbf: NOW + 59 }), SECRET)).iss).toBe('tenant-1');
  });

  test('may carry claims of which we know nothing, and a secret of 400 bytes', () => {
    const secret = 'é'.repeat(200);
    expect(
      verified(hs256(claims({ sub: 'user', context: { user: {} } }), secret), {}, secret).iss,
    ).toBe('tenant-1');
  });

  test.each<[string, string | undefined]>([
    ['is missing', undefined],
    ['is empty', ''],
    ['is no token', 'abc'],
    ['has two segments', 'a.b'],
    ['has four segments', `${hs256(claims(), SECRET)}.x`],
    [
      'has a header that is no JSON',
      `AAAA.${hs256(claims(), SECRET).split('.').slice(1).join('.')}`,
    ],
    ['has a list for a header', hs256(claims(), SECRET, [1])],
    ['is longer than any token', hs256(claims({ padding: 'x'.repeat(9_000) }), SECRET)],
  ])('is refused when it %s', (_, token) => expect(() => verified(token)).toThrow(Unauthenticated));

  test.each<[string, string]>([
    ['none', unsigned(claims())],
    ['NONE', unsigned(claims(), { alg: 'NONE' })],
    ['none, with a signature', hs256(claims(), SECRET, { alg: 'none' })],
    ['HS256 in the header, but no signature', `${unsigned(claims(), { alg: 'HS256' })}`],
    ['HS512', hs256(claims(), SECRET, { alg: 'HS512' })],
    ['hs256', hs256(claims(), SECRET, { alg: 'hs256' })],
    ['RS256, signed with the secret', hs256(claims(), SECRET, { alg: 'RS256' })],
    ['RS256, signed with a key', rs256(claims(), privateKey, { alg: 'RS256', kid: KID })],
    ['HS256, signed with a key', rs256(claims(), privateKey, { alg: 'HS256', kid: KID })],
    ['nothing at all', hs256(claims(), SECRET, { typ: 'JWT' })],
    ['a list', hs256(claims(), SECRET, { alg: ['HS256'] })],
  ])('is refused with the algorithm %s', (_, token) =>
    expect(() => verified(token)).toThrow(Unauthenticated),
  );

  test.each<[string, Claims]>([
    ['has expired', { exp: NOW - 61 }],
    ['never expires', { exp: undefined }],
    ['expires at no time', { exp: 'tomorrow' }],
    ['expires at a time as text', { exp: String(NOW + 180) }],
    ['is of the future', { iat: NOW + 61 }],
    ['says not when it was issued', { iat: undefined }],
    ['is not valid yet', { nbf: NOW + 61 }],
    ['is valid from no time on', { nbf: 'now' }],
    ['has no issuer', { iss: undefined }],
    ['has an empty issuer', { iss: '' }],
    ['has a number for an issuer', { iss: 5 }],
    ['has an issuer that is a record of the realm', { iss: '#realm' }],
    ['has no hash', { qsh: undefined }],
    ['is a browser’s', { qsh: 'context-qsh' }],
    ['has another hash', { qsh: queryStringHash('POST', '/dare-migration/commit', '') }],
    ['has its hash in capitals', { qsh: qsh.toUpperCase() }],
  ])('is refused when it %s', (_, change) => {
    expect(() => verified(hs256(claims(change), SECRET))).toThrow(Unauthenticated);
  });

  test.each<[string, Partial<SignedRequest>]>([
    ['path', { path: '/dare-migration/rollback' }],
    ['method', { method: 'GET' }],
    ['query', { rawQuery: 'migrationId=1' }],
  ])('is refused for another %s', (_, change) => {
    expect(() => verified(hs256(claims(), SECRET), change)).toThrow(Unauthenticated);
  });

  test('in the query is not part of what it is bound to', () => {
    const token = hs256(
      claims({ qsh: queryStringHash('GET', '/dare-migration/status', 'migrationId=1') }),
      SECRET,
    );
    const asked = {
      method: 'GET',
      path: '/dare-migration/status',
      rawQuery: `migrationId=1&jwt=${token}`,
    };
    expect(verified(token, asked).iss).toBe('tenant-1');
    expect(() => verified(token, { ...asked, rawQuery: `migrationId=2&jwt=${token}` })).toThrow(
      Unauthenticated,
    );
  });

  test('of another tenant’s secret is refused, and one that was changed on the way', () => {
    const token = hs256(claims(), SECRET);
    expect(() => verified(token, {}, 'another secret')).toThrow(Unauthenticated);
    const [header, , signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify(claims({ iss: 'tenant-2' }))).toString('base64url');
    expect(() => verified(`${header}.${forged}.${signature}`)).toThrow(Unauthenticated);
  });

  test('is refused in whatever way a character of it is changed', () => {
    const token = hs256(claims(), SECRET);
    fc.assert(
      fc.property(
        fc.nat(token.length - 1),
        fc.constantFrom('A', 'b', '0', '_', '.', ' ', '=', 'é'),
        (at, character) => {
          fc.pre(token[at] !== character);
          const changed = token.slice(0, at) + character + token.slice(at + 1);
          // The last character of a signature has unused bits.
          fc.pre(at < token.length - 1);
          expect(() => verified(changed)).toThrow(Unauthenticated);
        },
      ),
    );
  });

  test('says nothing of itself in the refusal', () => {
    const token = hs256(claims(), SECRET);
    expect(() => jwt.verifySignature(token, 'another secret')).toThrow(
      /^the signature is not valid$/,
    );
  });

  test('of a browser is accepted where browsers come', () => {
    const token = hs256(claims({ qsh: 'context-qsh' }), SECRET);
    expect(jwt.claimedBy(request(token), 'context')).toEqual({ iss: 'tenant-1', iat: NOW });
    expect(() =>
      jwt.claimedBy(request(hs256(claims({ qsh: 'other' }), SECRET)), 'context'),
    ).toThrow(Unauthenticated);
  });
});

describe('a signed install', () => {
  const AUDIENCES = ['https://de.app.example', 'https://us.app.example'];
  const installQsh = queryStringHash('POST', '/installed', '');
  const installClaims = (rest: Claims = {}): Claims => ({
    ...claims({ qsh: installQsh, aud: ['https://de.app.example'] }),
    ...rest,
  });
  const signed = (rest: Claims = {}, header: Claims = { alg: 'RS256', kid: KID }) =>
    rs256(installClaims(rest), privateKey, header);
  const verify = (token: string | undefined) =>
    jwt.verifyInstall(request(token, { path: '/installed' }), AUDIENCES);

  test('is accepted, and says from whom and since when', async () => {
    const token = signed();
    const said = token.slice(0, token.lastIndexOf('.'));
    expect(await verify(token)).toEqual({ signed: said, iss: 'tenant-1', iat: NOW });
  });

  test.each<[string, unknown]>([
    ['this realm’s URL as text', 'https://de.app.example'],
    ['the default URL', ['https://us.app.example']],
    ['a URL with a slash at its end', ['https://de.app.example/']],
    ['one of several', ['https://other.example', 'https://de.app.example']],
  ])('is accepted for %s', async (_, aud) =>
    expect((await verify(signed({ aud }))).iss).toBe('tenant-1'),
  );

  test('is accepted where our own URL is written with a slash at its end', async () => {
    const verifying = jwt.verifyInstall(request(signed(), { path: '/installed' }), [
      'https://de.app.example/',
    ]);
    expect((await verifying).iss).toBe('tenant-1');
  });

  test.each<[string, unknown]>([
    ['another realm’s URL', ['https://eu.app.example']],
    ['a URL that only begins so', ['https://de.app.example.evil.example']],
    ['a path of ours', ['https://de.app.example/path']],
    ['two slashes', ['https://de.app.example//']],
    ['nobody', undefined],
    ['an empty list', []],
    ['a number', 5],
    ['an object', { 0: 'https://de.app.example' }],
  ])('is refused for %s', async (_, aud) => {
    await expect(verify(signed({ aud }))).rejects.toThrow(Unauthenticated);
  });

  test.each<[string, Claims]>([
    ['has expired', { exp: NOW - 61 }],
    ['is of the future', { iat: NOW + 61 }],
    ['has no issuer', { iss: undefined }],
    ['has another hash', { qsh }],
    ['is a browser’s', { qsh: 'context-qsh' }],
  ])('is refused when it %s, and no key is asked for', async (_, change) => {
    const before = server?.asked.length;
    await expect(verify(signed(change))).rejects.toThrow(Unauthenticated);
    expect(server?.asked.length).toBe(before);
  });

  test('is refused when another key has signed it', async () => {
    await expect(
      verify(rs256(installClaims(), other.privateKey, { alg: 'RS256', kid: KID })),
    ).rejects.toThrow(Unauthenticated);
  });

  test.each<[string, string]>([
    ['none', unsigned(installClaims(), { alg: 'none', kid: KID })],
    [
      'HS256 with the public key for a secret',
      hs256(installClaims(), publicKey, { alg: 'HS256', kid: KID }),
    ],
    [
      'RS256 in the header, signed with the public key for a secret',
      hs256(installClaims(), publicKey, { alg: 'RS256', kid: KID }),
    ],
    ['RS512', rs256(installClaims(), privateKey, { alg: 'RS512', kid: KID })],
  ])('is refused with the algorithm %s', async (_, token) => {
    await expect(verify(token)).rejects.toThrow(Unauthenticated);
  });

  test.each<unknown>([
    '../../key-1',
    'https://evil.example/key',
    'a//b',
    'a/../b',
    '',
    5,
    undefined,
    { a: 1 },
  ])('is refused with the key id %j, which is never asked for', async (kid) => {
    const before = server?.asked.length;
    await expect(verify(signed({}, { alg: 'RS256', kid }))).rejects.toThrow(Unauthenticated);
    expect(server?.asked.length).toBe(before);
  });

  test('never has its key server named by itself', async () => {
    const before = server?.asked.length ?? 0;
    const header = {
      alg: 'RS256',
      kid: 'key-2',
      jku: 'https://evil.example',
      x5u: 'https://evil.example',
      jwk: { kty: 'RSA' },
    };
    expect((await verify(signed({}, header))).iss).toBe('tenant-1');
    expect(server?.asked.slice(before)).toEqual(['/key-2']);
  });

  test('is refused with an unknown key id', async () => {
    answer = { status: 404 };
    await expect(verify(signed({}, { alg: 'RS256', kid: 'unknown' }))).rejects.toThrow(
      Unauthenticated,
    );
  });

  test('is a fault while the key server cannot say', async () => {
    answer = { status: 500 };
    await expect(verify(signed({}, { alg: 'RS256', kid: 'key-3' }))).rejects.toThrow(Fault);
  });

  test('is refused without a token', async () => {
    await expect(verify(undefined)).rejects.toThrow(Unauthenticated);
  });
});

/**
 * Forge's keys: a pinned set, fetched at most once per interval, and good for a day without its
 * server.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { forgeToken } from '../../../lambdas/adapters/tokens/forge-token.ts';
import { keysOfCloud } from '../../../lambdas/adapters/tokens/isolated-clouds.ts';
import { Fault, Unauthenticated } from '../../../lambdas/domain/refusal.ts';
import { invocationClaims } from '../../../lib/atlassian-tokens.ts';
import { HOUR, MINUTE, manualClock, SECOND } from '../../support/clock.ts';
import { type KeyAnswer, type KeyServer, startKeyServer } from '../../support/key-server.ts';
import { installKeyPair, keySet, rs256 } from '../../support/tokens.ts';

const { publicKey, privateKey } = installKeyPair();
const INVOCATION = {
  appId: 'ari:cloud:ecosystem::app/00000000-0000-4000-8000-000000000000',
  installationId: 'ari:cloud:ecosystem::installation/00000000-0000-4000-8000-000000000001',
  cloudId: '11111111-1111-4111-8111-111111111111',
  product: 'jira',
};

let server: KeyServer;
let answer: KeyAnswer | undefined;
let clock = manualClock();
let verify: ReturnType<typeof forgeToken>;

beforeEach(async () => {
  answer = { status: 200, body: keySet(publicKey, 'one') };
  server = await startKeyServer(() => answer);
  clock = manualClock();
  const keysOf = keysOfCloud(`${server.url}/jwks.json`, undefined, clock);
  verify = forgeToken({ keysOf, clock, appId: INVOCATION.appId, environment: 'PRODUCTION' });
});
afterEach(() => server.close());

/** A token that is valid at the clock's time. */
function token(kid = 'one', key = privateKey): string {
  const iat = Math.floor(clock.now() / 1000);
  const claims = { ...invocationClaims(INVOCATION), iat, nbf: iat, exp: iat + 25 };
  return rs256(claims, key, { alg: 'RS256', typ: 'JWT', kid });
}
const fetches = () => server.asked.length;

describe('the keys of Forge', () => {
  test('are fetched once for many tokens, and for many at the same instant', async () => {
    await Promise.all(Array.from({ length: 20 }, () => verify(token())));
    expect(await verify(token())).toMatchObject({ installationId: INVOCATION.installationId });
    expect(fetches()).toBe(1);
  });

  test('are looked up again after a while', async () => {
    await verify(token());
    clock.advance(11 * MINUTE);
    await verify(token());
    expect(fetches()).toBe(2);
  });

  test('an unknown one is looked up once, and then not before the interval is over', async () => {
    await verify(token());
    clock.advance(6 * SECOND);
    await expect(verify(token('two'))).rejects.toThrow(Unauthenticated);
    expect(fetches()).toBe(2);
    clock.advance(4 * SECOND);
    await expect(verify(token('two'))).rejects.toThrow(Unauthenticated);
    expect(fetches()).toBe(2);
  });

  test('a flood of unknown ones causes one fetch per interval, and does not keep known ones out', async () => {
    await verify(token());
    for (let second = 0; second < 20; second += 1) {
      clock.advance(SECOND);
      const flood = Array.from({ length: 30 }, (_, at) => verify(token(`unknown-${second}-${at}`)));
      for (const one of await Promise.allSettled(flood)) expect(one.status).toBe('rejected');
      await verify(token());
    }
    expect(fetches()).toBeLessThanOrEqual(1 + 20 / 5);
    expect(fetches()).toBeGreaterThan(2);
  });

  test('a flood while the server is down reaches it once per interval as well', async () => {
    answer = undefined;
    for (let second = 0; second < 20; second += 1) {
      const flood = Array.from({ length: 30 }, (_, at) => verify(token(`unknown-${second}-${at}`)));
      for (const one of await Promise.allSettled(flood))
        expect(one).toMatchObject({ status: 'rejected', reason: { name: 'Fault' } });
      clock.advance(SECOND);
    }
    expect(fetches()).toBeLessThanOrEqual(20 / 5);
  });

  test('a new one gets through by the last of three tries, five seconds apart', async () => {
    await verify(token());
    answer = { status: 200, body: keySet(publicKey, 'two') };
    clock.advance(SECOND);
    await expect(verify(token('two'))).rejects.toThrow(Unauthenticated);
    clock.advance(5 * SECOND);
    expect(await verify(token('two'))).toMatchObject({ cloudId: INVOCATION.cloudId });
    await expect(verify(token('one'))).rejects.toThrow(Unauthenticated);
  });

  test.each<[string, KeyAnswer | undefined]>([
    ['does not answer', undefined],
    ['answers 500', { status: 500, body: keySet(publicKey, 'one') }],
    ['answers 404', { status: 404 }],
    ['leads elsewhere', { status: 302, location: 'http://127.0.0.1:1/jwks.json' }],
    ['answers no JSON', { status: 200, body: '<html>' }],
    ['answers no key set', { status: 200, body: '{"keys":7}' }],
    ['answers megabytes', { status: 200, body: `{"keys":[],"x":"${'x'.repeat(300_000)}"}` }],
  ])('are a fault where the server %s', async (_, wrong) => {
    answer = wrong;
    await expect(verify(token())).rejects.toThrow(Fault);
  });

  test('an unknown one is looked up after a clock was set back, too', async () => {
    await verify(token());
    clock.setBack(25 * MINUTE);
    answer = { status: 200, body: keySet(publicKey, 'two') };
    await verify(token('two'));
    expect(fetches()).toBe(2);
  });

  test('that are known are good for a day where the server is down, and no longer', async () => {
    await verify(token());
    answer = undefined;
    clock.advance(23 * HOUR);
    await verify(token());
    await expect(verify(token('two'))).rejects.toThrow(Fault);
    clock.advance(2 * HOUR);
    await expect(verify(token())).rejects.toThrow(Fault);
  });

  test('of another kind than RSA verify nothing', async () => {
    const secret = Buffer.from('secret').toString('base64url');
    answer = {
      status: 200,
      body: JSON.stringify({ keys: [{ kty: 'oct', k: secret, kid: 'one' }] }),
    };
    await expect(verify(token())).rejects.toThrow(Unauthenticated);
  });
});

test('no error has the token, or a part of it, in it', async () => {
  const wrong = [
    token('two'),
    token('one', installKeyPair().privateKey),
    `${token()}x`,
    token().slice(5),
  ];
  for (const each of wrong) {
    const error: unknown = await verify(each).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Unauthenticated);
    for (const segment of each.split('.'))
      expect(String(Object(error).message)).not.toContain(segment);
  }
});

test('says of the site only what is certain', async () => {
  const iat = Math.floor(clock.now() / 1000);
  const said = (contexts: unknown, context?: object) => {
    const base = invocationClaims(INVOCATION);
    const app = { ...Object(base['app']), installation: { contexts } };
    return verify(
      rs256({ ...base, iat, nbf: iat, exp: iat + 25, app, context }, privateKey, {
        alg: 'RS256',
        kid: 'one',
      }),
    );
  };
  const one = { cloudId: INVOCATION.cloudId.toUpperCase(), name: 'Jira' };
  const other = { cloudId: '22222222-2222-4222-8222-222222222222', name: 'confluence' };
  expect(await said([one])).toMatchObject({ cloudId: INVOCATION.cloudId, product: 'jira' });
  expect(await said([one, other])).not.toHaveProperty('cloudId');
  expect(await said([one, { ...one, name: 'confluence' }])).not.toHaveProperty('product');
  for (const odd of [undefined, null, 'text', [7], [{ cloudId: '#realm' }]])
    expect(await said(odd)).toEqual({ installationId: INVOCATION.installationId, iat });
  expect(await said([], { cloudId: INVOCATION.cloudId, siteUrl: 'https://One.example/x' })).toEqual(
    {
      installationId: INVOCATION.installationId,
      iat,
      cloudId: INVOCATION.cloudId,
      host: 'one.example',
    },
  );
});

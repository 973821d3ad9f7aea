/**
 * Values over HTTP that fit into no item or no number of DynamoDB: refused for good, because
 * Atlassian would repeat a fault.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Invocation, invocationClaims } from '../../lib/atlassian-tokens.ts';
import { residency } from '../../residency.config.ts';
import {
  type Claims,
  epoch,
  type RawReply,
  type SigningHost,
  startSigningHost,
  UNAUTHORIZED,
} from './signing-host.ts';

const SECRET = 'the secret of the one that fits';
/** 160 KB as a body, and 704 KB as it would be stored. */
const NUMBERS = `[${Array(32_000).fill('1e20').join()}]`;
const ODD_TIMES = [-1, -1e200, -1e-200];

let host: SigningHost;
beforeAll(async () => {
  host = await startSigningHost();
  await host.install('fits', SECRET);
});
afterAll(() => host[Symbol.asyncDispose]());

const refusedForGood = ({ status, text }: RawReply) => {
  expect([status, JSON.parse(text)]).toEqual([
    400,
    { errorResponseCode: 'E9999', message: expect.any(String) },
  ]);
};

describe('an installation', () => {
  const install = (body: string, rest: Claims = {}) =>
    host.send({
      method: 'POST',
      target: '/installed',
      token: host.signedInstall(host.installClaims('too-much', '/installed', rest)),
      body,
      headers: { 'content-type': 'application/json' },
    });
  const good = '"clientKey":"too-much","sharedSecret":"s"';

  test.each([
    ['a host of 2 KB', `{${good},"baseUrl":"https://${'h'.repeat(2_100)}.example/wiki"}`],
    ['a host of 254 characters', `{${good},"baseUrl":"https://${'h'.repeat(254)}"}`],
    ['numbers that are long when written out', `{${good},"more":${NUMBERS}}`],
    ['half a character in its secret', '{"clientKey":"too-much","sharedSecret":"s\\ud800"}'],
  ])('with %s is refused for good', async (_, body) => refusedForGood(await install(body)));

  test.each(ODD_TIMES)('of the time %d proves nothing', async (iat) => {
    expect(await install(`{${good}}`, { iat })).toEqual(UNAUTHORIZED);
  });

  test('of the middle of a second is stored, as of that second', async () => {
    expect((await install(`{${good}}`, { iat: epoch() - 0.123456789012345 })).status).toBe(204);
  });

  test('with as much as an item has room for is stored', async () => {
    const body = `{${good},"more":"${'é'.repeat(120_000)}"}`;
    expect((await install(body)).status).toBe(204);
  });
});

describe('an installation that Forge announces', () => {
  const MINE: Invocation = {
    appId: residency.app.forge?.appId ?? '',
    installationId: 'ari:cloud:ecosystem::installation/00000000-0000-4000-8000-000000000001',
    cloudId: '11111111-1111-4111-8111-111111111111',
    product: 'confluence',
  };
  const announced = (rest: Claims) =>
    host.send({
      method: 'POST',
      target: '/forge/lifecycle/installed',
      token: host.signedInstall({ ...invocationClaims(MINE), ...rest }),
      scheme: 'Bearer',
      body: {},
    });

  test.each(ODD_TIMES)('at the time %d proves nothing', async (iat) => {
    expect(await announced({ iat })).toEqual(UNAUTHORIZED);
  });

  test('in the middle of a second, at a site whose host is longer than a key, is stored', async () => {
    const siteUrl = `https://${'h'.repeat(2_100)}.example`;
    expect((await announced({ iat: epoch() - 0.5, context: { siteUrl } })).status).toBe(204);
  });
});

describe('a document of the app', () => {
  test.each([
    ['PUT', '/templates/one'],
    ['POST', '/exports'],
  ])('%s %s that is too long when written out is refused for good', async (method, target) => {
    const token = host.hookToken('fits', SECRET, method, target);
    refusedForGood(
      await host.send({ method, target, token, body: `{"more":${NUMBERS}}`, headers: JSON_BODY }),
    );
    expect(
      (await host.send({ method, target, token, body: '{"more":[1e20]}', headers: JSON_BODY }))
        .status,
    ).toBeLessThan(300);
  });
});

const JSON_BODY = { 'content-type': 'application/json' };

/**
 * Tokens of isolated clouds: verified by the keys of the cloud that they name, where the
 * configuration lists it; otherwise refused without a fetch.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { forgeToken } from '../../../lambdas/adapters/tokens/forge-token.ts';
import { keysOfCloud } from '../../../lambdas/adapters/tokens/isolated-clouds.ts';
import { checkIsolatedClouds } from '../../../lambdas/domain/isolated-clouds.ts';
import { Unauthenticated } from '../../../lambdas/domain/refusal.ts';
import { defineResidency } from '../../../lambdas/domain/residency.ts';
import { invocationClaims } from '../../../lib/atlassian-tokens.ts';
import { residency } from '../../../residency.config.ts';
import { manualClock } from '../../support/clock.ts';
import { type KeyServer, startKeyServer } from '../../support/key-server.ts';
import { installKeyPair, keySet, rs256 } from '../../support/tokens.ts';

const common = installKeyPair();
const isolated = installKeyPair();
const INVOCATION = {
  appId: 'ari:cloud:ecosystem::app/00000000-0000-4000-8000-000000000000',
  installationId: 'ari:cloud:ecosystem::installation/00000000-0000-4000-8000-000000000001',
  cloudId: '11111111-1111-4111-8111-111111111111',
  product: 'jira',
};
const LABEL = 'one_isolated-cloud7';
const LONGEST = 'c'.repeat(50);

let server: KeyServer;
const clock = manualClock();
beforeEach(async () => {
  const served = new Map([
    ['/common.json', keySet(common.publicKey, 'one')],
    [`/${LABEL}/keys.json`, keySet(isolated.publicKey, 'one')],
    [`/${LONGEST}/keys.json`, keySet(isolated.publicKey, 'one')],
  ]);
  server = await startKeyServer((path) => {
    const body = served.get(path);
    return body === undefined ? { status: 404 } : { status: 200, body };
  });
});
afterEach(() => server.close());

function verifier(labels: readonly string[] | undefined) {
  const clouds = labels && { jwksUrlTemplate: `${server.url}/{IC_LABEL}/keys.json`, labels };
  const keysOf = keysOfCloud(`${server.url}/common.json`, clouds, clock);
  return forgeToken({ keysOf, clock, appId: INVOCATION.appId, environment: 'PRODUCTION' });
}

function token(icLabel: unknown, key = isolated.privateKey): string {
  const iat = Math.floor(clock.now() / 1000);
  const claims = { ...invocationClaims(INVOCATION), iat, nbf: iat, exp: iat + 25, icLabel };
  return rs256(claims, key, { alg: 'RS256', kid: 'one' });
}

describe('a token of an isolated cloud', () => {
  test.each([LABEL, LONGEST])('is verified by the keys of that cloud: %s', async (label) => {
    const verify = verifier([LABEL, LONGEST]);
    expect(await verify(token(label))).toMatchObject({ installationId: INVOCATION.installationId });
    await verify(token(label));
    expect(server.asked).toEqual([`/${label}/keys.json`]);
  });

  test('is not verified by the common keys, nor a common token by the keys of the cloud', async () => {
    const verify = verifier([LABEL]);
    await expect(verify(token(LABEL, common.privateKey))).rejects.toThrow(Unauthenticated);
    await expect(verify(token(undefined, isolated.privateKey))).rejects.toThrow(Unauthenticated);
    expect(await verify(token(undefined, common.privateKey))).toMatchObject({ product: 'jira' });
  });

  test.each<[string, unknown]>([
    ['a path', '../x'],
    ['a longer path', `${LABEL}/../x`],
    ['a host', 'evil.example'],
    ['51 characters', 'c'.repeat(51)],
    ['upper case', LABEL.toUpperCase()],
    ['an escape', '%2e%2e'],
    ['nothing', ''],
    ['a line break', `${LABEL}\n`],
    ['a number', 7],
    ['a list', [LABEL]],
    ['a cloud that is not listed', 'another'],
    ['a property of objects', '__proto__'],
  ])('is refused without a fetch where its label is %s', async (_, label) => {
    await expect(verifier([LABEL])(token(label))).rejects.toThrow(Unauthenticated);
    expect(server.asked).toEqual([]);
  });

  test('is refused without a fetch where no template is configured', async () => {
    await expect(verifier(undefined)(token(LABEL))).rejects.toThrow(Unauthenticated);
    expect(server.asked).toEqual([]);
  });
});

describe('isolated clouds in the configuration', () => {
  const jwksUrlTemplate = 'https://some-domain.{IC_LABEL}.net/some-path.json';

  test('are a template and the labels that it may be filled with', () => {
    expect(() => checkIsolatedClouds({ jwksUrlTemplate, labels: [LABEL] })).not.toThrow();
  });

  test.each([
    ['a template without a label', { jwksUrlTemplate: 'https://one.example/x', labels: [LABEL] }],
    ['a template without TLS', { jwksUrlTemplate: 'http://{IC_LABEL}.example', labels: [LABEL] }],
    ['no labels', { jwksUrlTemplate, labels: [] }],
    ['a label that is a path', { jwksUrlTemplate, labels: ['../x'] }],
    ['a label in upper case', { jwksUrlTemplate, labels: ['ONE'] }],
  ])('are refused with %s', (_, isolatedCloud) => {
    expect(() => defineResidency({ ...residency, isolatedCloud })).toThrow('isolatedCloud.');
  });
});

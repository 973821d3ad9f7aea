/** Which realms a deployment has: the whole configuration, or the part of it that was named. */
import { describe, expect, test } from 'vitest';
import { deployedIn, realmNames } from '../../lambdas/domain/deployed-realms.ts';
import { realmOfLocation } from '../../lambdas/domain/realm.ts';
import { baseUrlsOf, defineResidency, type Residency } from '../../lambdas/domain/residency.ts';
import { forwardUrlOf } from '../../lambdas/domain/tenants/forwarding.ts';
import { residency } from '../../residency.config.ts';

const NAMES = ['us', 'de', 'eu', 'au', 'sg'];
const urls = Object.fromEntries(NAMES.map((realm) => [realm, `https://${realm}.app.example`]));
const beside: Residency = defineResidency({
  ...residency,
  realms: [...residency.realms, { realm: 'ca', region: 'us-east-1', servedBy: 'us' }],
  baseUrls: urls,
  app: { ...residency.app, installedForwardUrl: urls },
});

describe('a deployment of some realms', () => {
  const deployed = deployedIn(beside, 'de, US');

  test('has their rows, in the order of the configuration, and no others', () => {
    expect(realmNames(deployed)).toBe('us,de');
    expect(deployed.parts).toBe(beside.parts);
  });

  test('has no target for a move to another one', () => {
    expect(realmOfLocation(deployed.realms, 'DE')).toBe('de');
    expect(realmOfLocation(deployed.realms, 'EU')).toBeUndefined();
    expect(realmOfLocation(deployed.realms, 'CA')).toBeUndefined();
  });

  test('has no address of another one, and passes on to no app of it', () => {
    expect(Object.keys(baseUrlsOf(deployed, 'prod'))).toEqual(['us', 'de']);
    expect(deployed.app.installedForwardUrl).toEqual({ us: urls['us'], de: urls['de'] });
    expect(forwardUrlOf(deployed, 'de')).toBe('https://de.app.example');
  });

  test('may be named again in the deployment itself', () => {
    expect(deployedIn(deployed, realmNames(deployed))).toEqual(deployed);
  });
});

test('without names all realms are deployed', () => {
  expect(deployedIn(beside, undefined)).toBe(beside);
  expect(realmNames(deployedIn(beside, realmNames(beside)))).toBe('us,de,eu,au,sg,ca');
});

test.each([
  ['us,uk', 'realms names "uk", which is not configured: there are us, de, eu, au, sg, ca'],
  [
    'de,eu',
    'realms leaves out the default realm, us, which serves every customer without a location',
  ],
  ['', 'realms leaves out the default realm, us'],
  ['de,ca', 'realms names ca without us, whose stack serves it'],
])('"%s" is refused', (names, sentence) => {
  expect(() => deployedIn(beside, names)).toThrow(sentence);
});

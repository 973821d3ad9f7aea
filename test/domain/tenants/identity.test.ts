/** The names of a tenant: how they are learned, and which of several tenants of a site is meant. */
import { describe, expect, test } from 'vitest';
import { isClientKey } from '../../../lambdas/domain/requests.ts';
import {
  claim,
  stub,
  withArrival,
  withFactsOf,
  withUninstalled,
} from '../../../lambdas/domain/tenants/fence.ts';
import {
  hostOf,
  installedIat,
  isCalled,
  isInstallationId,
  onlyOneOf,
  tenantNamesOf,
  tenantOfInstallation,
  withIdentity,
} from '../../../lambdas/domain/tenants/identity.ts';
import { beginOpening } from '../../../lambdas/domain/tenants/takeover.ts';
import { TENANT, tenantRecord } from '../../support/builders.ts';

const CLOUD = '11111111-1111-4111-8111-111111111111';
const forge = (id: string, iat: number) => ({
  tenant: TENANT,
  credentials: { iat },
  installation: {},
  identity: { installations: [{ id, iat }], cloudId: CLOUD, product: 'jira' },
});

describe('the names of a tenant', () => {
  test('are its installations, its site, and its client key where that is not its id', () => {
    const record = tenantRecord({ ...forge('one', 5).identity, clientKey: 'key' });
    expect(tenantNamesOf(record)).toEqual([
      { kind: 'client', value: 'key' },
      { kind: 'installation', value: 'one' },
      { kind: 'site', value: CLOUD },
    ]);
    expect(isCalled(record, { kind: 'installation', value: CLOUD })).toBe(false);
  });

  test('of one that came by Connect long ago are what its installation tells', () => {
    const told = (installation: object) =>
      tenantNamesOf(tenantRecord({ installation: { ...installation } }));
    expect(told({ baseUrl: 'https://One.example/wiki' })).toEqual([
      { kind: 'site', value: 'one.example' },
    ]);
    expect(told({ baseUrl: 'https://one.example', cloudId: CLOUD.toUpperCase() })).toEqual([
      { kind: 'site', value: CLOUD },
    ]);
    for (const baseUrl of [undefined, '', 'no url', 7, null]) expect(told({ baseUrl })).toEqual([]);
  });
});

describe('an id of ours', () => {
  test('that is made from an installation is no client key, so that the two cannot meet', () => {
    const id = 'ari:cloud:ecosystem::installation/0b5d3a4e-6a6f-4a3c-9d52-3a6f0a1b2c3d';
    expect(isInstallationId(id)).toBe(true);
    expect(tenantOfInstallation(id)).toBe('#forge-0b5d3a4e-6a6f-4a3c-9d52-3a6f0a1b2c3d');
    expect(isClientKey(tenantOfInstallation(id))).toBe(false);
  });

  test.each([
    '',
    'ari:cloud:ecosystem::installation/',
    'ari:cloud:ecosystem::installation/0B5D3A4E-6A6F-4A3C-9D52-3A6F0A1B2C3D',
    'ari:cloud:ecosystem::app/0b5d3a4e-6a6f-4a3c-9d52-3a6f0a1b2c3d',
    '0b5d3a4e-6a6f-4a3c-9d52-3a6f0a1b2c3d',
    'ari:cloud:ecosystem::installation/0b5d3a4e-6a6f-4a3c-9d52-3a6f0a1b2c3d#x',
    7,
    null,
  ])('is not made from %s', (id) => expect(isInstallationId(id)).toBe(false));
});

describe('of the tenants of one site', () => {
  const jira = tenantRecord({ tenant: 'jira', product: 'jira' });
  const confluence = tenantRecord({ tenant: 'wiki', installation: { productType: 'confluence' } });

  test('the one of the product is meant', () => {
    expect(onlyOneOf([jira, confluence], 'jira')).toBe(jira);
    expect(onlyOneOf([jira, confluence], 'confluence')).toBe(confluence);
  });

  test('no tenant is meant when it could be either, or when there is none', () => {
    expect(onlyOneOf([jira, confluence], undefined)).toBeUndefined();
    expect(onlyOneOf([jira], 'confluence')).toBeUndefined();
    expect(onlyOneOf([], 'jira')).toBeUndefined();
  });

  test('a tenant that is still installed goes before those that are not', () => {
    const gone = tenantRecord({ tenant: 'old', product: 'jira', state: 'retired' });
    const leaving = tenantRecord({ tenant: 'leaving', product: 'jira', uninstalledIat: 5 });
    expect(onlyOneOf([gone, jira, leaving], 'jira')).toBe(jira);
    expect(onlyOneOf([gone], 'jira')).toBe(gone);
    expect(onlyOneOf([gone, leaving], 'jira')).toBeUndefined();
  });
});

describe('an announcement', () => {
  test('is kept beside the earlier ones, newest last, and twenty of them', () => {
    const ids = Array.from({ length: 25 }, (_, iat) => ({ id: `i-${iat}`, iat }));
    const known = ids.reduce(
      (record, installation) => withIdentity(record, { installations: [installation] }),
      tenantRecord(),
    );
    expect(known.installations).toEqual(ids.slice(5));
    const again = withIdentity(known, { installations: [{ id: 'i-7', iat: 99 }] });
    expect(again.installations?.at(-1)).toEqual({ id: 'i-7', iat: 99 });
    expect(again.installations).toHaveLength(20);
  });

  test('by Forge leaves the secret as it is, also one that is older', () => {
    const record = tenantRecord({ credentials: { sharedSecret: 'kept', iat: 500 } });
    for (const iat of [1, 9_000]) {
      const next = withArrival(record, forge('one', iat));
      expect(next).toMatchObject({
        credentials: record.credentials,
        installations: [{ id: 'one', iat }],
        cloudId: CLOUD,
      });
    }
  });

  test('by Forge does not keep an older secret out, which arrives after it', () => {
    const record = beginOpening(undefined, forge('one', 100));
    expect(record).toMatchObject({ credentials: { iat: 0 }, openingIat: 100 });
    const next = withArrival(record, {
      tenant: TENANT,
      credentials: { sharedSecret: 'late', iat: 99 },
      installation: { baseUrl: 'https://one.example' },
    });
    expect(next?.credentials).toEqual({ sharedSecret: 'late', iat: 99 });
    expect(next?.installations).toEqual([{ id: 'one', iat: 100 }]);
  });

  test('that says nothing new writes nothing', () => {
    const record = withArrival(tenantRecord(), forge('one', 5));
    expect(withArrival(record, forge('one', 5))).toBeUndefined();
    expect(withArrival(record, forge('one', 4))).toBeUndefined();
    expect(withArrival(undefined, forge('one', 5))).toBeUndefined();
  });

  test('takes back an uninstallation that is not newer, through whichever door either came', () => {
    const left = tenantRecord({ uninstalledIat: 2_000 });
    expect(withArrival(left, forge('one', 2_000))?.uninstalledIat).toBeUndefined();
    expect(withArrival(left, forge('one', 1_999))?.uninstalledIat).toBe(2_000);
    const back = withArrival(tenantRecord(), forge('one', 2_000));
    expect(installedIat(back ?? tenantRecord())).toBe(2_000);
    expect(withUninstalled(back, 1_999)).toBeUndefined();
    expect(withUninstalled(back, 2_000)).toMatchObject({ uninstalledIat: 2_000 });
  });
});

test('an announcement that was heard before does not open a retired tenant again, late in its own second', () => {
  const left = tenantRecord({
    state: 'retired',
    credentials: { iat: 0 },
    installations: [{ id: 'one', iat: 100 }],
    uninstalledIat: 100,
  });
  expect(beginOpening(left, forge('one', 100))).toBeUndefined();
  expect(beginOpening(left, forge('two', 100))).toMatchObject({ state: 'opening' });
  expect(beginOpening(left, forge('one', 101))).toMatchObject({ state: 'opening' });
  expect(beginOpening(left, forge('two', 99))).toBeUndefined();
});

describe('names move with the tenant', () => {
  const identity = { ...forge('one', 5).identity, clientKey: 'key' };

  test('into the claimed target', () => {
    expect(claim(undefined, tenantRecord(identity), '7', 'us')).toMatchObject(identity);
  });

  test('into the stub, also those that only the installation told', () => {
    const moved = { state: 'moved', migration: '7', movedTo: 'de' } as const;
    expect(stub(tenantRecord({ ...identity, ...moved }), '7', 9)).toMatchObject(identity);
    const installation = { cloudId: CLOUD, productType: 'jira', baseUrl: 'https://one.example' };
    const shrunk = stub(tenantRecord({ installation, ...moved }), '7', 9);
    expect(shrunk).toMatchObject({ installation: {}, cloudId: CLOUD, product: 'jira' });
  });

  test('between the sides when one has learned what the other has not, in both directions', () => {
    const one = tenantRecord({ installations: [{ id: 'one', iat: 5 }] });
    const other = tenantRecord({ installations: [{ id: 'two', iat: 6 }], cloudId: CLOUD });
    const both = [
      { id: 'one', iat: 5 },
      { id: 'two', iat: 6 },
    ];
    expect(withFactsOf(one, other)).toMatchObject({ installations: both, cloudId: CLOUD });
    expect(withFactsOf(other, one)).toMatchObject({ installations: both, cloudId: CLOUD });
  });
});

test('a host name is what stands in a URL, and nothing else', () => {
  expect(hostOf('https://One.atlassian.net/wiki')).toBe('one.atlassian.net');
  for (const text of ['', 'one.atlassian.net', 'mailto:x', undefined, {}, 'https://'])
    expect(hostOf(text)).toBeUndefined();
});

/** Realms, the locations that name them, and the names that follow from a configuration. */
import { describe, expect, test } from 'vitest';
import { tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import {
  partitionOf,
  type RealmRow,
  realmOfLocation,
  regionOf,
  stackOf,
  stackRows,
} from '../../lambdas/domain/realm.ts';
import { defineResidency, physicalNames, type Residency } from '../../lambdas/domain/residency.ts';
import { PARTS } from '../support/memory-app.ts';

const rows: readonly RealmRow[] = [
  { realm: 'us', region: 'us-east-1' },
  { realm: 'eu', region: 'eu-central-1', servedBy: 'de' },
  { realm: 'de', region: 'eu-central-1' },
];

describe('a location', () => {
  test('names a realm whatever its case', () => {
    expect(['US', 'us', 'De', 'EU'].map((location) => realmOfLocation(rows, location))).toEqual([
      'us',
      'us',
      'de',
      'eu',
    ]);
  });

  test.each(['CA', '', ' us', 'constructor', '__proto__'])(
    'that no row serves names none: "%s"',
    (location) => {
      expect(realmOfLocation(rows, location)).toBeUndefined();
    },
  );
});

test.each([
  ['eu-central-1', 'aws', 'console.aws.amazon.com'],
  ['cn-north-1', 'aws-cn', 'console.amazonaws.cn'],
  ['us-gov-west-1', 'aws-us-gov', 'console.amazonaws-us-gov.com'],
])('the region %s is in the partition %s', (region, name, console) => {
  expect(partitionOf(region)).toEqual({ name, console });
});

describe('a realm', () => {
  test('is served by its own stack, or by that of another', () => {
    expect(stackRows(rows).map(({ realm }) => realm)).toEqual(['us', 'de']);
    expect(['us', 'eu', 'de'].map((realm) => stackOf(rows, realm))).toEqual(['us', 'de', 'de']);
    expect(regionOf(rows, 'eu')).toBe('eu-central-1');
    expect(() => regionOf(rows, 'ca')).toThrow('no realm is called ca');
  });
});

describe('a configuration', () => {
  const residency: Residency = {
    name: 'residency',
    app: {
      key: 'app',
      name: 'App',
      description: 'An app.',
      vendor: { name: 'Example', url: 'https://example.com' },
      scopes: [],
      products: ['jira'],
    },
    realms: rows,
    defaultRealm: 'us',
    parts: PARTS,
    maxMigrationDurationHours: 1.5,
    maxOverlappingMigrations: 20,
  };

  test('gives every table a name that other stacks can write down', () => {
    const names = physicalNames(residency, 'prod', 'de');
    expect(names.tenants).toBe('residency-prod-de-tenants');
    expect(names.migrations).toBe('residency-prod-de-migrations');
    expect(names.stateMachine).toBe('residency-prod-de-realm-migration');
    expect(names.lambda('start')).toBe('residency-prod-de-start');
    expect(PARTS.map((part) => names.part(part))[0]).toBe('residency-prod-de-templates');
    const [own] = tablesOf(PARTS);
    if (own === undefined) throw new Error('there is no part');
    expect(names.part({ ...own, tableName: (realm, stage) => `theirs-${stage}-${realm}` })).toBe(
      'theirs-prod-de',
    );
  });

  test('that is sound is handed back as it is', () =>
    expect(defineResidency(residency)).toBe(residency));

  test.each<[string, Partial<Residency>]>([
    ['a realm in two rows', { realms: [...rows, { realm: 'us', region: 'us-west-2' }] }],
    ['a realm with a capital letter', { realms: [{ realm: 'US', region: 'us-east-1' }] }],
    [
      'a realm served by none',
      {
        realms: [
          { realm: 'us', region: 'us-east-1' },
          { realm: 'eu', region: 'x', servedBy: 'de' },
        ],
      },
    ],
    [
      'a realm served by one that is served itself',
      { realms: [...rows, { realm: 'ch', region: 'x', servedBy: 'eu' }] },
    ],
    ['a default realm without a stack', { defaultRealm: 'eu' }],
    ['a window of no length', { maxMigrationDurationHours: 0 }],
    ['a window that is too long', { maxMigrationDurationHours: 24.5 }],
    ['a window of odd length', { maxMigrationDurationHours: 1.25 }],
  ])('with %s is refused', (_, change) =>
    expect(() => defineResidency({ ...residency, ...change })).toThrow(),
  );
});

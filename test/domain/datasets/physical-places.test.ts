/**
 * In every stage, no two tables of realms that a move connects are one, nor are two parts in one
 * table.
 */
import { describe, expect, test } from 'vitest';
import type { DynamoDbPart } from '../../../lambdas/domain/datasets/dataset.ts';
import { checkPlaces, defineResidency, type Residency } from '../../../lambdas/domain/residency.ts';
import { deploymentOf } from '../../../lib/deployment.ts';

const part: DynamoDbPart = {
  kind: 'dynamodb',
  name: 'documents',
  policy: 'move',
  partitionKey: 'tenant',
  sortKey: { name: 'id', type: 'S' },
};
const residency: Residency = {
  name: 'residency',
  app: {
    key: 'app',
    name: 'App',
    description: 'An app.',
    vendor: { name: 'Example', url: 'https://example.com' },
    scopes: [],
    products: ['confluence'],
  },
  realms: [
    { realm: 'us', region: 'us-east-1' },
    { realm: 'de', region: 'eu-central-1' },
    { realm: 'eu', region: 'eu-central-1' },
  ],
  defaultRealm: 'us',
  parts: [part],
  maxMigrationDurationHours: 1.5,
  maxOverlappingMigrations: 20,
  otherWritersSeconds: 0,
};
const withParts = (...parts: readonly DynamoDbPart[]): Residency => ({ ...residency, parts });
const own = (
  tableName: NonNullable<DynamoDbPart['tableName']>,
  change: Partial<DynamoDbPart> = {},
): DynamoDbPart => ({ ...part, tableName, ...change });

describe('a configuration', () => {
  test.each<[string, Residency]>([
    ['a table for each realm', withParts(own((realm, stage) => `theirs-${stage}-${realm}`))],
    [
      'one name for realms of different regions',
      {
        ...withParts(own(() => 'documents')),
        realms: residency.realms.filter(({ realm }) => realm !== 'eu'),
      },
    ],
    [
      'one table for two realms that one stack serves',
      {
        ...withParts(own((realm) => `documents-${realm}`)),
        realms: [
          ...residency.realms.slice(0, 2),
          { realm: 'eu', region: 'eu-central-1', servedBy: 'de' },
        ],
      },
    ],
  ])('with %s is accepted', (_, sound) => expect(defineResidency(sound)).toBe(sound));

  test.each<[string, Residency, string]>([
    [
      'one table for two realms of one region',
      withParts(own(() => 'documents')),
      'part "documents" in realm de and part "documents" in realm eu are one table, documents in eu-central-1',
    ],
    [
      'one table for two realms in production alone',
      withParts(own((realm, stage) => (stage === 'prod' ? 'documents' : `documents-${realm}`))),
      'stage prod: part "documents" in realm de and part "documents" in realm eu are one table',
    ],
    [
      'a part of one realm in the table of another part in another realm',
      withParts(
        own((realm) => (realm === 'de' ? 'shared' : `documents-${realm}`)),
        own((realm) => (realm === 'eu' ? 'shared' : `pictures-${realm}`), { name: 'pictures' }),
      ),
      'part "documents" in realm de and part "pictures" in realm eu are one table, shared in eu-central-1',
    ],
    [
      'two parts in one table, one of them in shards',
      withParts(
        own((realm) => `everything-${realm}`),
        own((realm) => `everything-${realm}`, { name: 'pictures', shards: 16 }),
      ),
      'part "documents" and part "pictures" are in one table, everything-us in realm us: a key of one tenant',
    ],
    [
      'two parts in one table, with the same keys',
      withParts(
        own((realm) => `everything-${realm}`),
        own((realm) => `everything-${realm}`, { name: 'caches', policy: 'drop' }),
      ),
      'part "documents" and part "caches" are in one table',
    ],
    [
      'a part in the table that another part is given',
      withParts(
        part,
        own((realm, stage) => `residency-${stage}-${realm}-documents`, { name: 'pictures' }),
      ),
      'part "documents" and part "pictures" are in one table, residency-dev-us-documents',
    ],
    [
      'a part in our table of tenants',
      withParts(own((realm, stage) => `residency-${stage}-${realm}-tenants`)),
      'our own table residency-dev-us-tenants and part "documents" in realm us are one table',
    ],
    [
      'a part in another realm’s ledger',
      withParts(
        own((realm, stage) =>
          realm === 'de' ? `residency-${stage}-eu-migrations` : `documents-${realm}`,
        ),
      ),
      'part "documents" in realm de and our own table residency-dev-eu-migrations in realm eu are one table',
    ],
    [
      'a table of another account',
      withParts(own((realm) => `arn:aws:dynamodb:eu-west-1:123456789012:table/${realm}`)),
      'part "documents" in realm us is called "arn:aws',
    ],
    [
      'a table without a name',
      withParts(own(() => '')),
      'part "documents" in realm us is called ""',
    ],
  ])('with %s is refused', (_, wrong, says) => expect(() => defineResidency(wrong)).toThrow(says));

  test('is checked again for the stage that is deployed', () => {
    const wrong = withParts(own((realm, stage) => (stage === 'beta' ? 'same' : `x-${realm}`)));
    expect(defineResidency(wrong)).toBe(wrong);
    const [, row] = wrong.realms;
    if (row === undefined) throw new Error('there is no realm');
    expect(() => deploymentOf({ residency: wrong, stage: 'beta', row })).toThrow(
      'stage beta: part "documents" in realm de and part "documents" in realm eu are one table, same',
    );
    expect(() => deploymentOf({ residency: wrong, stage: 'dev', row })).not.toThrow();
  });

  test('may name tables for the stages that exist, and for no other', () => {
    const tables: Readonly<Record<string, string>> = { 'prod us': 'a', 'prod de': 'b' };
    const named = withParts(
      own((realm, stage) => {
        const table = tables[`${stage} ${realm}`];
        if (table === undefined) throw new Error('no such table');
        return table;
      }),
    );
    expect(defineResidency(named)).toBe(named);
    expect(() => checkPlaces(named, 'prod')).toThrow('no such table');
  });

  test.each<[string, Partial<Residency>, string]>([
    [
      'a misspelt field of a realm',
      {
        realms: [
          { realm: 'us', region: 'us-east-1' },
          { realm: 'eu', region: 'eu-west-1', ...{ servedby: 'us' } },
        ],
      },
      'realm "eu" has a field "servedby", which means nothing here; allowed are realm, region, servedBy',
    ],
    ['half a window', { maxOverlappingMigrations: 2.5 }, 'maxOverlappingMigrations is a whole'],
    ['no windows', { maxOverlappingMigrations: 0 }, 'maxOverlappingMigrations is a whole'],
  ])('with %s is refused', (_, change, says) =>
    expect(() => defineResidency({ ...residency, ...change })).toThrow(says),
  );
});

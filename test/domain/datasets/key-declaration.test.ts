/** Declarations of keys that are refused when the configuration is loaded, each by a sentence. */
import { describe, expect, test } from 'vitest';
import type { DynamoDbPart } from '../../../lambdas/domain/datasets/dataset.ts';
import { checkParts } from '../../../lambdas/domain/datasets/declaration.ts';
import { isNoTenants } from '../../../lambdas/domain/datasets/key-declaration.ts';
import { clashAmong } from '../../../lambdas/domain/datasets/physical-places.ts';

const part = (declared: object): DynamoDbPart => ({
  kind: 'dynamodb',
  name: 'notes',
  policy: 'move',
  partitionKey: 'pk',
  ...declared,
});

const SCAN = { by: 'scan', attribute: 'tenantId', largestTableGB: 1 };
const PREFIX = { by: 'scan', prefix: '{tenant}#', largestTableGB: 1 };

describe('a declaration of keys is refused', () => {
  test.each<[object, string]>([
    [{ key: '' }, "key is a template such as 'TENANT#{tenant}'"],
    [{ key: [] }, 'or a list of templates, not []'],
    [{ key: () => 'acme' }, 'not a function'],
    [{ key: 'TENANT#' }, 'has no placeholder for the tenant'],
    [{ key: '{tenant}#{cloudId}' }, 'has more than one placeholder for the tenant'],
    [{ key: '{clientKey}' }, 'has {clientKey}, which means nothing here; there are {tenant}'],
    [{ key: 'A{{tenant}' }, 'has a brace that belongs to no placeholder'],
    [{ key: ['A{tenant}', 'A{tenant}'] }, 'key has a template twice'],
    [{ key: '{tenant}', shards: 4 }, 'it has shards, and no template of its key has {shard}'],
    [{ key: '{tenant}#{shard}' }, 'has {shard}, and shards is not declared'],
    [{ key: '{shard}{tenant}{shard}', shards: 4 }, 'has {shard} more than once'],
    [{ key: `${'x'.repeat(1_701)}{tenant}` }, 'has more than 1700 bytes beside the tenant'],
    [{ shards: 1 }, 'shards is a whole number from 2 to 100'],
    [{ shards: { from: 9, to: 1 } }, 'shards goes from a whole number to a greater one'],
    [{ shards: { from: 0, to: 1_000 } }, 'up to 500 of them'],
    [{ shards: { from: 1, to: 9, width: 2 } }, 'shards has a field "width"'],
    [{ shards: { from: 1, to: 9, digits: 0 } }, 'shards.digits is a whole number from 1 to 10'],
    [{ case: 'upper' }, "case is 'lower' or left out"],
    [{ key: 'TENANT#{tenant}', case: 'lower' }, "case is 'lower', and its key has capital letters"],
    [{ keyType: 'number' }, "keyType is 'S', 'N' or 'B'"],
    [{ keyType: 'N' }, "keyType is 'N': a number can only be the app’s own id"],
    [{ key: 'T{tenantKey}', keyType: 'N' }, 'can only be the app’s own id'],
    [{ key: '{tenantKey}', keyType: 'B', case: 'lower' }, 'case is for keys that are text'],
    [
      { key: ['{tenant}', '{cloudId}'] },
      "two tenants can have one key by '{tenant}' and '{cloudId}'",
    ],
    [{ key: ['{tenant}', '{tenant}1'] }, 'put a delimiter such as #'],
    [{ key: ['A{tenant}', '{tenantKey}A'] }, 'two tenants can have one key'],
    [{ key: '{tenant}{shard}', shards: { from: 1, to: 19 } }, 'two tenants can have one key'],
    [{ discover: 'scan' }, "discover is { by: 'scan', attribute, largestTableGB }"],
    [
      { discover: { by: 'scan', prefix: '{tenant}/', largestTableGB: 1 }, keyType: 'N' },
      'discover.prefix is text',
    ],
    [{ discover: SCAN, keyType: 'number' }, "keyType is 'S', 'N' or 'B'"],
    [{ discover: { ...SCAN, by: 'query' } }, "discover.by is 'scan' or 'index', not query"],
    [{ discover: { ...SCAN, by: 'index' } }, 'discover.index is the name of an index'],
    [{ discover: { ...SCAN, index: 'x' } }, "goes with by: 'index'"],
    [{ discover: { ...SCAN, segment: 1 } }, 'discover has a field "segment"'],
    [{ discover: { ...SCAN, attribute: '' } }, 'discover.attribute is the name of the attribute'],
    [{ discover: { ...SCAN, attribute: 'pk' } }, 'whose partition key does not hold the tenant'],
    [{ discover: { ...SCAN, largestTableGB: 101 } }, 'at most 100; with segments, up to 200'],
    [{ discover: { ...SCAN, largestTableGB: 5, segments: 2 } }, 'at most 4: 2 for each of 2'],
    [{ discover: { ...SCAN, largestTableGB: '1' } }, 'largestTableGB is more than 0'],
    [{ discover: { ...SCAN, segments: 101 } }, 'segments is a whole number from 1 to 100'],
    [{ discover: { ...SCAN, segments: 1.5 } }, 'segments is a whole number from 1 to 100'],
    [{ discover: SCAN, shards: 4 }, 'discover goes with one template'],
    [{ discover: SCAN, key: ['{tenant}', 'T#{tenant}'] }, 'discover goes with one template'],
    [{ discover: { ...SCAN, segments: 2 }, key: '{installation}' }, 'goes with one segment'],
    [{ discover: { ...SCAN, largestTableGB: 2 }, key: '{installation}' }, 'of 2 GB where segments'],
    [{ discover: { ...PREFIX, attribute: 'owner' } }, 'it goes without attribute and index'],
    [{ discover: PREFIX, key: '{tenant}' }, 'is the template of its keys: leave out key'],
    [{ discover: { ...PREFIX, prefix: '{tenant}' } }, 'keys of acme-10 begin like those of acme-1'],
    [{ discover: { ...PREFIX, prefix: '{tenant}x#' } }, 'ends in a delimiter behind the tenant'],
    [{ discover: { ...PREFIX, prefix: '{cloudId}-' } }, 'that every {cloudId} has in it'],
    [{ discover: { ...PREFIX, prefix: '{installation}/' } }, 'that every {installation} has'],
    [{ discover: { ...PREFIX, prefix: 'T#' } }, 'ends in a delimiter behind the tenant'],
    [{ discover: { ...PREFIX, prefix: '{tenants}#' } }, 'has {tenants}, which means nothing here'],
    [{ notOfTenants: 'SETTINGS' }, 'notOfTenants lists partition keys'],
    [{ notOfTenants: ['*'] }, 'notOfTenants lists partition keys'],
    [{ notOfTenants: ['a*b'] }, 'notOfTenants lists partition keys'],
    [{ key: 'TENANT#{tenant}', notOfTenants: ['TEN*'] }, 'which hides keys of tenants'],
    [{ notOfTenants: ['VERSION*'] }, 'which hides keys of tenants'],
  ])('%j', (declared, says) => {
    expect(() => checkParts([part(declared)])).toThrow(says);
    expect(() => checkParts([part(declared)])).toThrow(/^part "notes": /);
  });

  test.each<[string, object, object, string]>([
    [
      'of which one key can be the other',
      {},
      { key: 'T#{tenant}' },
      'can be a key of another tenant',
    ],
    [
      'of which one hides the other',
      { key: 'A#{tenant}', notOfTenants: ['B#*'] },
      { key: 'B#{tenant}' },
      'notOfTenants of "notes" has B#*, which can be a key of "more", by \'B#{tenant}\'',
    ],
    [
      'of which one is scanned',
      { key: 'A#{tenant}', discover: SCAN },
      { key: 'B#{tenant}' },
      'of which one is scanned: give it a table of its own',
    ],
    [
      'that say different things of the table',
      { key: 'A#{tenant}', sortKey: { name: 'id', type: 'S' } },
      { key: 'B#{tenant}' },
      'they declare it differently',
    ],
  ])('for two parts in one table %s', (_, one, other, says) => {
    const places = [part(one), part({ ...other, name: 'more' })].map((declared) => ({
      realm: 'us',
      region: 'us-east-1',
      name: 'vendors-own',
      part: declared,
    }));
    expect(clashAmong(places)).toContain(says);
  });

  test('but for a table that is scanned', () => {
    expect(() => checkParts([part({ discover: PREFIX })])).not.toThrow();
    expect(() => checkParts([part({ discover: SCAN, key: '{installation}' })])).not.toThrow();
    const byIndex = { ...SCAN, by: 'index', index: 'of-owner' };
    expect(() => checkParts([part({ discover: byIndex })])).not.toThrow();
    const large = { ...SCAN, largestTableGB: 200, segments: 100 };
    expect(() => checkParts([part({ discover: large })])).not.toThrow();
    expect(() => checkParts([part({ discover: SCAN })])).not.toThrow();
    expect(() => checkParts([part({ discover: SCAN, key: 'T#{cloudId}' })])).not.toThrow();
  });

  test('but for two parts in one table whose keys begin differently', () => {
    const places = [{ key: 'A#{tenant}', notOfTenants: ['SETTINGS'] }, { key: 'B#{tenant}' }].map(
      (declared, at) => ({
        realm: 'us',
        region: 'us-east-1',
        name: 'vendors-own',
        part: part({ ...declared, name: `part-${at}` }),
      }),
    );
    expect(clashAmong(places)).toBeUndefined();
  });
});

describe('a key of no tenant', () => {
  test.each([
    ['SETTINGS', true],
    ['SETTINGS#1', false],
    ['VERSION#', true],
    ['VERSION#7', true],
    ['VERSION', false],
    ['TENANT#acme', false],
  ])('%s: %s', (key, is) => {
    expect(isNoTenants(['SETTINGS', 'VERSION#*'], key)).toBe(is);
    expect(isNoTenants(undefined, key)).toBe(false);
  });
});

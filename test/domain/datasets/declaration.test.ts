/**
 * Declarations of parts that are refused when the configuration is loaded, and the sentences of the
 * refusals.
 */
import { describe, expect, test } from 'vitest';
import type { DynamoDbPart, Part } from '../../../lambdas/domain/datasets/dataset.ts';
import { checkParts } from '../../../lambdas/domain/datasets/declaration.ts';

const part: DynamoDbPart = {
  kind: 'dynamodb',
  name: 'templates',
  policy: 'move',
  partitionKey: 'tenant',
  sortKey: { name: 'id', type: 'S' },
};
const sharded: DynamoDbPart = { ...part, name: 'exports', shards: 16 };

/** A configuration that only JavaScript, or a cast, allows. */
const declared = (change: Readonly<Record<string, unknown>>): readonly Part[] => [
  { ...part, ...change } as DynamoDbPart,
];

describe('a declaration', () => {
  test('of the sample app’s kind is accepted', () => {
    const previews: Part = {
      ...part,
      name: 'previews',
      policy: 'drop',
      ttlAttribute: 'expiresAt',
      tableName: (realm, stage) => `previews-${stage}-${realm}`,
    };
    expect(() => checkParts([part, sharded, previews])).not.toThrow();
    expect(() => checkParts([])).not.toThrow();
  });

  test.each<[string, readonly Part[], string]>([
    ['a name twice', [part, part], 'part "templates": the name is taken'],
    ['the name of our own tables', declared({ name: 'tenants' }), 'the name is taken'],
    ['the name of our own ledger', declared({ name: 'migrations' }), 'the name is taken'],
    ['a name that does not fit into a table’s', declared({ name: 'My Part' }), 'lower-case'],
    ['no name', declared({ name: '' }), 'part "": a name is lower-case letters'],
    ['a name that is a number', declared({ name: 7 }), 'part "7": a name is lower-case letters'],
    [
      'a prefix',
      declared({ prefix: '{tenant}/' }),
      'part "templates": it has a field "prefix", which means nothing here; allowed are kind, name, policy',
    ],
    ['an index', declared({ index: 'by-tenant' }), 'it has a field "index"'],
    ['a misspelt field', declared({ ttlAttribut: 'expiresAt' }), 'it has a field "ttlAttribut"'],
    ['another kind', declared({ kind: 'mongodb' }), `kind is 'dynamodb' or 's3', not "mongodb"`],
    ['no kind', declared({ kind: undefined }), `kind is 'dynamodb' or 's3', not undefined`],
    ['another policy', declared({ policy: 'keep' }), `policy is 'move' or 'drop', not "keep"`],
    ['no partition key', declared({ partitionKey: '' }), 'partitionKey is the name of'],
    [
      'a function as partition key',
      declared({ partitionKey: (tenant: string) => `TENANT#${tenant}` }),
      'partitionKey is the name of the attribute that holds the tenant, not a function',
    ],
    [
      'a partition key that DynamoDB cannot have',
      declared({ partitionKey: 'ü'.repeat(128) }),
      'partitionKey is the name of',
    ],
    ['a sort key without a name', declared({ sortKey: { type: 'S' } }), 'its name is undefined'],
    ['a sort key of text', declared({ sortKey: 'id' }), 'sortKey is { name, type }'],
    [
      'a sort key of another type',
      declared({ sortKey: { name: 'id', type: 'X' } }),
      `sortKey.type is 'S', 'N' or 'B', not "X"`,
    ],
    [
      'a sort key with more to it',
      declared({ sortKey: { name: 'id', type: 'S', prefix: 'DOC#' } }),
      'sortKey has a field "prefix"',
    ],
    [
      'one attribute as both keys',
      declared({ sortKey: { name: 'tenant', type: 'S' } }),
      'partitionKey and sortKey are two attributes',
    ],
    ['one shard', declared({ shards: 1 }), 'shards is a whole number from 2 to 100, not 1'],
    ['more shards than two digits name', declared({ shards: 101 }), 'not 101'],
    ['a fraction of a shard', declared({ shards: 16.5 }), 'from 2 to 100, not 16.5'],
    ['shards that are none', declared({ shards: Number.NaN }), 'shards is a whole number'],
    ['shards as a text', declared({ shards: '16' }), 'not "16"'],
    ['an expiry that is no name', declared({ ttlAttribute: 30 }), 'ttlAttribute is the name'],
    ['an empty expiry', declared({ ttlAttribute: '' }), 'ttlAttribute is the name'],
    ['the tenant as expiry', declared({ ttlAttribute: 'tenant' }), 'cannot be the partition key'],
    [
      'one table for all realms, as a text',
      declared({ tableName: 'documents' }),
      'tableName is a function (realm, stage) => name, not "documents"',
    ],
  ])('with %s is refused', (_, parts, says) => {
    expect(() => checkParts(parts)).toThrow(/^part "/);
    expect(() => checkParts(parts)).toThrow(says);
  });
});

/**
 * The dataset: which partition keys belong to a tenant, and which declarations cannot be moved
 * safely.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DynamoDbPart,
  type Part,
  partitionsOf,
  rangesOf,
} from '../../../lambdas/domain/datasets/dataset.ts';
import { isClientKey } from '../../../lambdas/domain/requests.ts';

const part: DynamoDbPart = {
  kind: 'dynamodb',
  name: 'templates',
  policy: 'move',
  partitionKey: 'tenant',
  sortKey: { name: 'id', type: 'S' },
};
const sharded: DynamoDbPart = { ...part, name: 'exports', shards: 16 };

describe('a tenant’s partition keys', () => {
  test('are its own id, or one for each shard', () => {
    expect(partitionsOf(part, { tenant: 'tenant-1' })).toEqual(['tenant-1']);
    const keys = partitionsOf(sharded, { tenant: 'tenant-1' });
    expect([keys.length, keys[0], keys[15]]).toEqual([16, 'tenant-1#00', 'tenant-1#15']);
    expect(partitionsOf({ ...part, shards: 100 }, { tenant: 't' }).at(-1)).toBe('t#99');
  });

  test('are never a neighbour’s', () => {
    const neighbours = [
      'tenant-1',
      'tenant-10',
      'tenant-1#00',
      'tenant-1#0',
      'tenant-1#00#00',
      'tenant-',
    ];
    for (const declared of [part, sharded]) {
      const keys = neighbours.flatMap((tenant) => partitionsOf(declared, { tenant }));
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  test('are never those of any other tenant, in a part with any number of shards', () => {
    const clientKey = fc
      .string({ unit: fc.constantFrom('a', '1', '#', '0', '-'), minLength: 1, maxLength: 8 })
      .filter(isClientKey);
    const shards = fc.option(fc.integer({ min: 2, max: 100 }), { nil: undefined });
    fc.assert(
      fc.property(clientKey, clientKey, shards, (one, other, count) => {
        fc.pre(one !== other);
        const of: Part = count === undefined ? part : { ...part, shards: count };
        const keys = new Set(partitionsOf(of, { tenant: one }));
        expect(partitionsOf(of, { tenant: other }).filter((key) => keys.has(key))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the ranges of a dataset', () => {
  test('have stable ids that name no tenant, in a stable order', () => {
    const ids = rangesOf([part, { ...sharded, shards: 2 }], { tenant: 'tenant-1' }).map(
      ({ id }) => id,
    );
    expect(ids).toEqual(['templates/00', 'exports/00', 'exports/01']);
    expect(
      rangesOf([part, { ...sharded, shards: 2 }], { tenant: 'tenant-2' }).map(({ id }) => id),
    ).toEqual(ids);
  });
});

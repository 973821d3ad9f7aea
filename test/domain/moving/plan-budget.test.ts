/** How many ranges a configuration may declare, and how many turns an execution has room for. */
import { describe, expect, test } from 'vitest';
import type { DynamoDbPart, Part } from '../../../lambdas/domain/datasets/dataset.ts';
import { checkParts } from '../../../lambdas/domain/datasets/declaration.ts';
import { MOST_TURNS, turnsOf } from '../../../lambdas/domain/moving/plan-budget.ts';
import { MOST_CONCURRENCY } from '../../../lambdas/domain/operating/settings.ts';

/** `count` parts of `shards` shards each. */
const partsOf = (policy: DynamoDbPart['policy'], count: number, shards: number): readonly Part[] =>
  Array.from({ length: count }, (_, number) => ({
    kind: 'dynamodb',
    name: `${policy}-${number}`,
    policy,
    partitionKey: 'tenant',
    sortKey: { name: 'id', type: 'S' },
    ...(shards > 1 && { shards }),
  }));

describe('ranges', () => {
  test.each(['move', 'drop'] as const)('may be thousands: %s', (policy) => {
    expect(() => checkParts(partsOf(policy, 100, 100))).not.toThrow();
  });

  test('are refused where a receipt cannot name them all', () => {
    expect(() => checkParts(partsOf('drop', 250, 100))).toThrow(
      /a tenant has 25000 ranges, whose names take \d+ bytes, and a receipt, which lists them all, has room for 262144/,
    );
  });
});

test('an execution has room for eleven turns of each worker, and for no more than it has events', () => {
  for (const [moving, all] of [
    [MOST_CONCURRENCY, MOST_CONCURRENCY],
    [1, 40],
    [0, 1],
    [1, 1],
  ] as const) {
    const turns = turnsOf(moving, all);
    expect(turns).toBeGreaterThanOrEqual(11);
    expect(turns * (2 * moving + all)).toBeLessThanOrEqual(MOST_TURNS);
  }
});

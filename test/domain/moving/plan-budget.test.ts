/**
 * How many ranges a configuration may declare: as many as every attempt of a workflow can visit.
 */
import { describe, expect, test } from 'vitest';
import { plan } from '../../../lambdas/app/phases/task-input.ts';
import type { DynamoDbPart, Part } from '../../../lambdas/domain/datasets/dataset.ts';
import { checkParts } from '../../../lambdas/domain/datasets/declaration.ts';
import { leastTurns, MOST_TURNS } from '../../../lambdas/domain/moving/plan-budget.ts';

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

describe('more ranges than a workflow has room for', () => {
  test('of parts that are dropped are refused, with the number', () => {
    expect(() => checkParts(partsOf('drop', 24, 100))).toThrow(
      'a tenant has 2400 ranges (0 in parts that move, 2400 in parts that are dropped), which take 2400 turns of the workflow, and it has room for 1428',
    );
  });

  test('of parts that move are refused, each counted three times', () => {
    expect(() => checkParts(partsOf('move', 5, 100))).toThrow(
      '500 ranges (500 in parts that move, 0 in parts that are dropped), which take 1500 turns',
    );
  });

  test('are refused from the first that does not fit', () => {
    const parts = [
      ...partsOf('move', 4, 100),
      ...partsOf('drop', 2, 100),
      ...partsOf('drop', 28, 1),
    ].map((part, at) => ({ ...part, name: `part-${at}` }));
    expect(leastTurns(parts)).toBe(MOST_TURNS);
    expect(() => checkParts(parts)).not.toThrow();
    const [one] = partsOf('drop', 1, 1);
    if (one === undefined) throw new Error('there is no part');
    expect(() => checkParts([...parts, one])).toThrow('which take 1429 turns');
  });
});

describe('the plan of an attempt', () => {
  test('gives every range a turn, and no more turns than fit', () => {
    for (const parts of [
      partsOf('move', 4, 100),
      partsOf('drop', 14, 100),
      partsOf('move', 1, 1),
    ]) {
      const { turns, moving, ranges } = plan(parts, { tenant: 'tenant-1' });
      expect(turns).toBeGreaterThanOrEqual(1);
      expect(turns * (2 * moving.length + ranges.length)).toBeLessThanOrEqual(MOST_TURNS);
    }
  });
});

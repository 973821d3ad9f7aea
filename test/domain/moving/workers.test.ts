/**
 * Who works on what: each range is one worker's to finish, and whoever has finished helps another.
 */
import { describe, expect, test } from 'vitest';
import { othersOf, ownOf, workersFor } from '../../../lambdas/domain/moving/workers.ts';

const ranges = (count: number) => Array.from({ length: count }, (_, at) => at);

describe('the workers of a phase', () => {
  test('are as many as may work at once, and no more than there are ranges', () => {
    expect(workersFor(3, 16)).toEqual([0, 1, 2].map((number) => ({ number, of: 3 })));
    expect(workersFor(100, 16)).toHaveLength(16);
    expect(workersFor(0, 16)).toEqual([]);
  });

  test.each([
    [1, 1],
    [18, 16],
    [100, 40],
    [5_000, 16],
  ])(
    'of %i ranges, %i at once, have each range once, and all others to help with',
    (count, most) => {
      const workers = workersFor(count, most);
      const own = workers.flatMap((worker) => ownOf(worker, ranges(count)));
      expect(own.toSorted((one, other) => one - other)).toEqual(ranges(count));
      for (const worker of workers) {
        const all = new Set([...ownOf(worker, ranges(count)), ...othersOf(worker, ranges(count))]);
        expect(all.size).toBe(count);
      }
    },
  );

  test('help another one each, from the end that it comes to last', () => {
    const helped = workersFor(12, 3).map((worker) => othersOf(worker, ranges(12))[0]);
    expect(helped).toEqual([11, 9, 10]);
  });
});

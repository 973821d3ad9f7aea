/** The planner: what limits a move, and what it takes. */
import { describe, expect, test } from 'vitest';
import { estimate } from '../../../lambdas/domain/planning/estimate.ts';

const MILLION = 1_000_000;
const KB = 1024;

describe('the estimate of a move', () => {
  test('is 17 minutes for a million items of 1 KB under one partition key', () => {
    const { copySeconds, limit } = estimate(MILLION, MILLION * KB, [{}]);
    expect(limit).toBe('partition');
    expect(copySeconds / 60).toBeCloseTo(16.7, 1);
  });

  test('is limited by the table where the keys are spread', () => {
    const { copySeconds, limit } = estimate(MILLION, MILLION * KB, [{ shards: 16 }]);
    expect(limit).toBe('table');
    expect(copySeconds).toBeCloseTo(MILLION / 4_000, -1);
  });

  test('is limited by reading, by the CPU of one worker, or by what may be unrecorded, where nothing is capped', () => {
    const uncapped = {
      partitionUnits: Number.POSITIVE_INFINITY,
      tableUnits: Number.POSITIVE_INFINITY,
    };
    expect(estimate(MILLION, MILLION * KB, [{}], uncapped).limit).toBe('reading');
    expect(estimate(MILLION, MILLION * KB, [{}], { ...uncapped, sourceMs: 1 }).limit).toBe('cpu');
    expect(
      estimate(MILLION, MILLION * KB, [{}], { ...uncapped, sourceMs: 1, targetMs: 200 }).limit,
    ).toBe('writing');
  });

  test('lets waiting and computing overlap only as far as there are pages to take turns', () => {
    const conditions = {
      partitionUnits: Number.POSITIVE_INFINITY,
      tableUnits: Number.POSITIVE_INFINITY,
      sourceMs: 5,
      targetMs: 96,
    };
    const { copySeconds, bounds } = estimate(MILLION, MILLION * KB, [{}], conditions);
    expect(copySeconds).toBeGreaterThan(1.2 * Math.max(bounds.cpu, bounds.writing));
    expect(copySeconds).toBeLessThan(bounds.cpu + bounds.writing);
  });

  test('reads both sides in stretches to make them equal, and a key gives 3,000 units a second', () => {
    const { equalSeconds, verifySeconds, bounds } = estimate(MILLION, MILLION * KB, [{}]);
    // A unit reads 4 KB, and twice as much where it may be eventually consistent.
    expect(bounds.cpu).toBeGreaterThan(MILLION / 8 / 3_000);
    expect(equalSeconds).toBeCloseTo(bounds.cpu + 0.4, 0);
    expect(verifySeconds).toBeCloseTo(MILLION / 4 / 3_000, 0);
    // 977 MB, each in 300 + 15 ms, four at once.
    const far = estimate(MILLION, MILLION * KB, [{}], { sourceMs: 300 });
    expect(far.equalSeconds).toBeCloseTo((977 * 0.315) / 4 + 0.6 + 1, 0);
  });

  test('goes by the shares of the parts where they are known', () => {
    const even = estimate(MILLION, MILLION * KB, [{ shards: 16 }, {}]);
    const skewed = estimate(MILLION, MILLION * KB, [{ shards: 16, share: 0.2 }, { share: 0.8 }]);
    expect(even.limit).toBe('table');
    expect(skewed.limit).toBe('partition');
    expect(skewed.bounds.partition).toBeCloseTo((0.8 * MILLION) / 1_000);
  });

  test('costs a write each way, which is nearly all of it', () => {
    const { dollars, writeUnits } = estimate(MILLION, MILLION * KB, [{}]);
    expect(writeUnits).toBe(MILLION);
    expect(dollars).toBeGreaterThan(1.25);
    expect((2 * writeUnits * 0.625e-6) / dollars).toBeGreaterThan(0.85);
  });

  test('counts units per KB begun', () => {
    expect(estimate(100, 100 * 200, [{}]).writeUnits).toBe(100);
    expect(estimate(100, 100 * 10 * KB, [{}]).writeUnits).toBe(1_050);
  });

  test('grows in proportion, beyond what it takes to begin', () => {
    const [one, ten] = [1, 10].map((times) =>
      estimate(times * MILLION, times * MILLION * KB, [{}]),
    );
    const beginning = estimate(0, 0, [{}]).copySeconds;
    expect(
      ((ten?.copySeconds ?? 0) - beginning) / ((one?.copySeconds ?? 0) - beginning),
    ).toBeCloseTo(10);
    expect((ten?.dollars ?? 0) / (one?.dollars ?? 1)).toBeCloseTo(10);
  });

  test('is nothing but the beginning for a tenant without data', () => {
    expect(estimate(0, 0, [])).toMatchObject({ writeUnits: 0, readUnits: 0, dollars: 0 });
    expect(estimate(0, 0, []).seconds).toBeLessThan(2);
  });
});

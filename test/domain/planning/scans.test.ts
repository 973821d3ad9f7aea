/** What the scans of a move take and cost, and when a table is too large for them. */
import { describe, expect, test } from 'vitest';
import type { DynamoDbPart } from '../../../lambdas/domain/datasets/dataset.ts';
import { sayTooLarge } from '../../../lambdas/domain/datasets/discovery.ts';
import { estimate } from '../../../lambdas/domain/planning/estimate.ts';
import { scansOf, withScans } from '../../../lambdas/domain/planning/scans.ts';
import { estimateOf, misfit } from '../../../lambdas/domain/planning/window-fit.ts';

const part = (declared: Partial<DynamoDbPart>): DynamoDbPart => ({
  kind: 'dynamodb',
  name: 'pages',
  policy: 'move',
  partitionKey: 'id',
  ...declared,
});
const scanned = (
  largestTableGB: number,
  segments: number,
  rest: Partial<DynamoDbPart> = {},
): DynamoDbPart =>
  part({ discover: { by: 'scan', attribute: 'tenant', largestTableGB, segments }, ...rest });

describe('the scans of a move', () => {
  test('take nothing where no table is scanned', () => {
    const planned = estimate(1_000, 1_000_000, [{}]);
    expect(scansOf([part({})])).toEqual([]);
    expect(withScans(planned, [part({})])).toBe(planned);
  });

  test('are as fast as a new table is read, and as the workers are where it has many partitions', () => {
    // Four partitions of 3,000 units a second, of 4 KB each.
    const [small] = scansOf([scanned(2, 1)]);
    expect(small?.seconds).toBeCloseTo(2e9 / (4 * 3_000 * 4_096));
    expect(small).toMatchObject({ segments: 1, all: 8, verifying: 1 });
    const [large] = scansOf([scanned(100, 50)]);
    expect(large?.seconds).toBeCloseTo(100e9 / (10 * 3_000 * 4_096));
    expect(large?.aloneSeconds).toBeCloseTo(100e9 / 80e6);
    expect(large?.segmentSeconds).toBeCloseTo(2e9 / 80e6);
    expect(large).toMatchObject({ segments: 50, all: 8, verifying: 2 });
  });

  test('are one less where the copy has an index, and few where a cache is dropped', () => {
    const discover = { by: 'index', index: 'i', attribute: 'tenant', largestTableGB: 1 } as const;
    expect(scansOf([part({ discover })])).toMatchObject([{ all: 7, copying: 0 }]);
    const [drop] = scansOf([scanned(1, 1, { policy: 'drop' })]);
    expect(drop).toMatchObject({ all: 3, copying: 0, verifying: 0 });
    // A unit for each 4 KB.
    expect(drop?.dollars).toBeCloseTo(((3 * 1e9) / 4096) * 0.125e-6);
  });

  test('are in the estimate of a tenant, and can be too much for its window', () => {
    const size = { at: '', parts: { pages: { items: 100, bytes: 10_000 } } };
    const [without, withThem] = [[part({})], [scanned(2, 1)]].map((parts) =>
      estimateOf(size, parts),
    );
    expect((withThem?.seconds ?? 0) - (without?.seconds ?? 0)).toBeCloseTo(
      (3 * 2e9) / (4 * 3_000 * 4_096),
    );
    expect(withThem?.limit).toBe('reading');
    const begins = Date.parse('2026-01-01T00:00:00Z');
    const window = {
      location: 'de',
      startTime: new Date(begins).toISOString(),
      endTime: new Date(begins + 120_000).toISOString(),
    };
    expect(misfit(size, [part({})], window, 0, begins)).toBeUndefined();
    expect(misfit(size, [scanned(2, 1)], window, 0, begins)).toContain('limited by reading');
  });
});

describe('a table', () => {
  test('is too large where it is larger than declared', () => {
    expect(sayTooLarge(scanned(2, 1), 'us', 2.04e9)).toBe(
      'part pages in us: its table has 2.0 GB, and largestTableGB is 2',
    );
    expect(sayTooLarge(scanned(2, 1), 'us', 1.9e9)).toBeUndefined();
    expect(sayTooLarge(part({}), 'us', 1e12)).toBeUndefined();
  });
});

/** What the scans of a move take and cost, and when a table is too large for them. */
import { describe, expect, test } from 'vitest';
import type { DynamoDbPart } from '../../../lambdas/domain/datasets/dataset.ts';
import { estimate } from '../../../lambdas/domain/planning/estimate.ts';
import { scansOf, withScans } from '../../../lambdas/domain/planning/scans.ts';
import { estimateOf, misfit } from '../../../lambdas/domain/planning/window-fit.ts';
import { sayTooLarge } from '../../../lib/operator/audit/scanned-tables.ts';

const part = (declared: Partial<DynamoDbPart>): DynamoDbPart => ({
  kind: 'dynamodb',
  name: 'pages',
  policy: 'move',
  partitionKey: 'id',
  ...declared,
});
const scanned = (largestTableGB: number, rest: Partial<DynamoDbPart> = {}) =>
  part({ discover: { by: 'scan', attribute: 'tenant', largestTableGB }, ...rest });

describe('the scans of a move', () => {
  test('take nothing where no table is scanned', () => {
    const planned = estimate(1_000, 1_000_000, [{}]);
    expect(scansOf([part({})])).toBeUndefined();
    expect(withScans(planned, [part({})])).toBe(planned);
  });

  test('take as long as those of the largest table that moves, and cost what all of them do', () => {
    const seconds = scansOf([scanned(4)])?.seconds ?? 0;
    expect(seconds).toBeCloseTo(50);
    const both = scansOf([scanned(4), scanned(1, { name: 'more', policy: 'drop' })]);
    expect(both?.seconds).toBe(seconds);
    // 7 scans of 4 GB and 2 of 1 GB, a unit for each 4 KB.
    expect(both?.dollars).toBeCloseTo(((7 * 4e9 + 2 * 1e9) / 4096) * 0.125e-6);
  });

  test('are in the estimate of a tenant, and can be too much for its window', () => {
    const size = { at: '', parts: { pages: { items: 100, bytes: 10_000 } } };
    const [without, withThem] = [[part({})], [scanned(4)]].map((parts) => estimateOf(size, parts));
    expect((withThem?.seconds ?? 0) - (without?.seconds ?? 0)).toBeCloseTo(150);
    expect(withThem?.limit).toBe('reading');
    const begins = Date.parse('2026-01-01T00:00:00Z');
    const window = {
      location: 'de',
      startTime: new Date(begins).toISOString(),
      endTime: new Date(begins + 120_000).toISOString(),
    };
    expect(misfit(size, [part({})], window, 0, begins)).toBeUndefined();
    expect(misfit(size, [scanned(4)], window, 0, begins)).toContain('limited by reading');
  });
});

describe('a table', () => {
  test('is too large where it is larger than declared', () => {
    expect(sayTooLarge(scanned(2), 'us', 2.04e9)).toBe(
      'part pages in us: its table has 2.0 GB, and largestTableGB is 2',
    );
    expect(sayTooLarge(scanned(2), 'us', 1.9e9)).toBeUndefined();
    expect(sayTooLarge(part({}), 'us', 1e12)).toBeUndefined();
  });
});

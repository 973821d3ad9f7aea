/** The projected end of a copy, as an operator reads it. */
import { describe, expect, test } from 'vitest';
import { EMPTY_DIGEST } from '../../lambdas/domain/datasets/digest.ts';
import { fractionDone, latestEnd, project } from '../../lambdas/domain/planning/projection.ts';
import { projectedFrom } from '../../lib/operator/moves/projected-end.ts';
import { migrationRecord, rangeRecord } from '../support/builders.ts';
import { MINUTE } from '../support/clock.ts';

describe('a projected end', () => {
  test('is in proportion to what is done, and in time or not', () => {
    const halfway = { fraction: 0.5, begun: 0, now: 10 * MINUTE };
    expect(projectedFrom({ ...halfway, windowEnds: 30 * MINUTE })).toEqual({
      fractionDone: 0.5,
      endsAt: '1970-01-01T00:20:00.000Z',
      isInTime: true,
      says: '50 % done, verified about 1970-01-01 00:20:00Z, 10 min 0 s before it would have to give up',
    });
    expect(projectedFrom({ ...halfway, windowEnds: 15 * MINUTE })).toMatchObject({
      isInTime: false,
      says: expect.stringContaining('5 min 0 s TOO LATE for its window'),
    });
  });

  test('is the one that the janitor finds, against the moment at which it gives up', () => {
    const startedAt = '2026-12-26T00:00:00.000Z';
    const migration = migrationRecord({
      status: 'copying',
      startedAt,
      estimate: { at: startedAt, items: 1_000, bytes: 1, seconds: 1, limit: 'cpu' },
    });
    const { facts } = migration;
    if (facts === undefined) throw new Error('the migration has no window');
    const digest = { ...EMPTY_DIGEST, items: 100 };
    const records = [
      rangeRecord({ range: 'templates/00', target: { done: false, digest, changed: 100 } }),
    ];
    const begun = Date.parse(startedAt);
    const now = begun + 20 * MINUTE;
    const seen = project(migration, records, 0, now);
    expect(seen?.beyond).toBe(1);
    const told = projectedFrom({
      fraction: fractionDone(records, 1_000),
      begun,
      now,
      windowEnds: latestEnd(facts),
    });
    expect(told).toMatchObject({ endsAt: seen?.endsAt, isInTime: false });
  });

  test('is not told before there is something to go by', () => {
    expect(
      projectedFrom({ fraction: 0.01, begun: 0, now: MINUTE, windowEnds: 30 * MINUTE }),
    ).toEqual({
      fractionDone: 0.01,
      says: 'it is too early for a projection',
    });
  });
});

/** When a copy will be done, as an operator is told. */
import { describe, expect, test } from 'vitest';
import { projectedFrom } from '../../lib/operator/projected-end.ts';

const MINUTE = 60_000;

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

  test('is not told before there is something to go by', () => {
    expect(
      projectedFrom({ fraction: 0.01, begun: 0, now: MINUTE, windowEnds: 30 * MINUTE }),
    ).toEqual({
      fractionDone: 0.01,
      says: 'it is too early to say when the copy will be done',
    });
  });
});

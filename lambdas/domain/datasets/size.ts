/**
 * The size of a tenant's data: of one range as it is counted, of a part, and of a whole dataset.
 */

import type { Obstacles } from '../planning/obstacles.ts';

/** The result of a count of a range so far. */
export interface RangeSize {
  /** Items that exist: expired ones that have not been removed yet are left out. */
  readonly items: number;
  /** Expired items that are still there. */
  readonly expired: number;
  /** Bytes of the items that exist. */
  readonly bytes: number;
  /** True: everything was counted. Otherwise there is at least this much. */
  readonly complete: boolean;
  /** The opaque position where an incomplete count goes on. */
  readonly cursor?: string;
}

export const NOTHING_COUNTED: RangeSize = { items: 0, expired: 0, bytes: 0, complete: false };

export interface PartSize {
  readonly items: number;
  readonly bytes: number;
}

/** The size of the parts that move. */
export interface KnownSize {
  /** ISO time at which the count began: writes and deletions since then may be missing. */
  readonly at: string;
  readonly parts: Readonly<Record<string, PartSize>>;
}

/** A measurement with another count. */
export const withCount = (
  stored: Measurement | undefined,
  { begunAt, finishedAt, ranges }: Omit<Measurement, 'obstacles'>,
): Measurement => ({
  begunAt,
  ranges,
  ...(finishedAt !== undefined && { finishedAt }),
  ...(stored?.obstacles !== undefined && { obstacles: stored.obstacles }),
});

/** A measurement with other obstacles. One that counted nothing is not finished. */
export const withObstacles = (
  stored: Measurement | undefined,
  obstacles: Obstacles,
): Measurement => ({ begunAt: obstacles.at, ranges: {}, ...stored, obstacles });

/** A count of a tenant's ranges that move, as far as it has come. */
export interface Measurement {
  readonly begunAt: string;
  /** Absent until it is finished. */
  readonly finishedAt?: string;
  readonly ranges: Readonly<Record<string, RangeSize>>;
  /** What the last look found in the way of a move; absent where none was needed yet. */
  readonly obstacles?: Obstacles;
}

export const sizeOfMeasurement = (measurement: Measurement): KnownSize | undefined =>
  measurement.finishedAt === undefined ? undefined : sizeOfRanges(measurement);

/** For an unfinished count, the smallest possible size. */
export function sizeOfRanges({ begunAt, ranges }: Measurement): KnownSize {
  const parts: Record<string, PartSize> = {};
  for (const [range, { items, bytes }] of Object.entries(ranges)) {
    const part = range.slice(0, range.lastIndexOf('/'));
    const { items: i = 0, bytes: b = 0 } = parts[part] ?? {};
    parts[part] = { items: i + items, bytes: b + bytes };
  }
  return { at: begunAt, parts };
}

export function wholeOf({ parts }: KnownSize): PartSize {
  const all = Object.values(parts);
  return {
    items: all.reduce((sum, { items }) => sum + items, 0),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** How much a tenant has: of one range as it is counted, of a part, and of a whole dataset. */

/** What a count of a range has come to so far. */
export interface RangeSize {
  /** Items that exist: expired ones that have not been removed yet are left out. */
  readonly items: number;
  /** Expired items that are still there. */
  readonly expired: number;
  /** Of the items that exist. */
  readonly bytes: number;
  /** Everything was counted; otherwise there is at least so much. */
  readonly complete: boolean;
  /** Where an incomplete count goes on; opaque. */
  readonly cursor?: string;
}

export const NOTHING_COUNTED: RangeSize = { items: 0, expired: 0, bytes: 0, complete: false };

export interface PartSize {
  readonly items: number;
  readonly bytes: number;
}

/** Of the parts that move. */
export interface KnownSize {
  /** ISO time at which the count began: what was written or deleted since may be missing in it. */
  readonly at: string;
  readonly parts: Readonly<Record<string, PartSize>>;
}

/** A count of a tenant's ranges that move, as far as it has come. */
export interface Measurement {
  readonly begunAt: string;
  /** Absent as long as it is not finished. */
  readonly finishedAt?: string;
  readonly ranges: Readonly<Record<string, RangeSize>>;
}

export const sizeOfMeasurement = (measurement: Measurement): KnownSize | undefined =>
  measurement.finishedAt === undefined ? undefined : sizeOfRanges(measurement);

/** Of a count that is not finished, the least that there is. */
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

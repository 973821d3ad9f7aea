/**
 * What stands in the way of a move in the storage itself, such as objects that S3 would neither
 * copy nor delete.
 */

/** Of one range, as far as it was looked at. */
export interface RangeObstacles {
  /** Sentences; none names an item. */
  readonly says: readonly string[];
  /** True: everything was looked at. */
  readonly complete: boolean;
  /** The opaque position where an incomplete look goes on. */
  readonly cursor?: string;
}

export const NO_OBSTACLES: RangeObstacles = { says: [], complete: true };

/** Of a tenant in a realm, kept with its measurement. */
export interface Obstacles {
  /** ISO time at which the look began. */
  readonly at: string;
  /** Until the look is complete, what an earlier one found counts too. */
  readonly says: readonly string[];
  readonly complete: boolean;
  readonly ranges: Readonly<Record<string, RangeObstacles>>;
}

/** A look at the tenant is asked of the function `measure`, and answered. */
export interface Looked {
  readonly says: readonly string[];
  readonly complete: boolean;
}

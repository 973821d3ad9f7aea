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

/**
 * The ledger's record of one range: which worker has it until when, and how far the present work
 * is.
 */

import type { Range } from '../datasets/dataset.ts';
import type { Digest } from '../datasets/digest.ts';
import { MINUTE_MS } from '../time.ts';

/** The kinds of work on a range, each of which starts from nothing. A range has one at a time. */
export type Work =
  | 'clear'
  | 'copy-ahead'
  | 'copy'
  | 'repair-target'
  | 'verify-copy'
  | 'recheck-source'
  | 'purge-source'
  | 'restore-source'
  | 'verify-restore'
  | 'discard-target';

export interface Progress {
  readonly cursor?: string;
  readonly done: boolean;
  readonly digest: Digest;
  readonly changed: number;
}

/** Which invocation may write. */
export interface Lease {
  /** Id of the invocation. */
  readonly owner: string;
  /** When the invocation can no longer run, plus a margin. Epoch milliseconds. */
  readonly until: number;
  /** The worker that the invocation is a turn of, as `workerId` names it. It finishes the range. */
  readonly worker?: string;
}

export interface RangeRecord {
  readonly range: string;
  /** Revision of the stored record, for compare-and-set; 0 for one that was never stored. */
  readonly revision: number;
  readonly work: Work;
  /** By the side that was read or written. */
  readonly source?: Progress;
  readonly target?: Progress;
  /** Fixed when the work began, so that both sides are read by the same clock. Epoch seconds. */
  readonly asOf: number;
  readonly lastingUntil: number;
  /** How often the present work was begun again because its result was not the required one. */
  readonly tries: number;
  /** The present work is finished. */
  readonly done: boolean;
  readonly lease?: Lease;
  readonly lastError?: string;
  /** The data that a retired tenant had left here is gone. */
  readonly cleared?: true;
  /**
   * Its verification found a difference, and the range was, or is being, made equal. That is done
   * once.
   */
  readonly repaired?: true;
}

/** Whether this work is done on each of the ranges, by the migration's range records. */
export function allFinished(
  records: readonly RangeRecord[],
  ranges: readonly Pick<Range, 'id'>[],
  work: Work,
): boolean {
  const finished = new Set(
    records.filter((record) => record.work === work && record.done).map(({ range }) => range),
  );
  return ranges.every(({ id }) => finished.has(id));
}

/**
 * A worker may still be writing: the lease has not run out, and its owner is not known to be dead.
 */
export const isLeased = (
  { lease }: Pick<RangeRecord, 'lease'>,
  now: number,
  isGone: (owner: string) => boolean,
): boolean => lease !== undefined && lease.until > now && !isGone(lease.owner);

/**
 * The longest lease in milliseconds: its holder is an invocation of five minutes at most, and a
 * margin follows.
 */
export const LONGEST_LEASE = 6 * MINUTE_MS;

/** The lease seems to last longer than any lease can: the clock was set back since it was taken. */
export const isOverlong = ({ lease }: Pick<RangeRecord, 'lease'>, now: number): boolean =>
  lease !== undefined && lease.until - now > LONGEST_LEASE;

export function withoutLease({ lease: _l, lastError: _e, ...record }: RangeRecord): RangeRecord {
  return record;
}

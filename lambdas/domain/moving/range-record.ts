/** What the ledger keeps of one range: who works on it until when, and how far the work at hand is. */

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
  /** Of the stored record; 0 for one that was never stored. Compare-and-set goes by it. */
  readonly revision: number;
  readonly work: Work;
  /** By the side that was read or written. */
  readonly source?: Progress;
  readonly target?: Progress;
  /** Fixed when the work began, so that both sides are read by the same clock. Epoch seconds. */
  readonly asOf: number;
  readonly lastingUntil: number;
  /** How often the work at hand was begun anew because its end was not what it has to be. */
  readonly tries: number;
  /** The work at hand is finished. */
  readonly done: boolean;
  readonly lease?: Lease;
  readonly lastError?: string;
  /** What an earlier, retired residency had left here is gone. */
  readonly cleared?: true;
  /** Its verification found a difference, and the range was, or is being, made equal; that is done once. */
  readonly repaired?: true;
}

/** Whether this work is done on each of the ranges, as the records of the migration's ranges say. */
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

/** Somebody may still be writing: the lease has not run out, and its owner is not known to be gone. */
export const isLeased = (
  { lease }: Pick<RangeRecord, 'lease'>,
  now: number,
  isGone: (owner: string) => boolean,
): boolean => lease !== undefined && lease.until > now && !isGone(lease.owner);

/** No lease lasts longer: who holds one is an invocation of five minutes at most, and a margin follows. Milliseconds. */
export const LONGEST_LEASE = 6 * MINUTE_MS;

/** The clock was set back since the lease was taken, for it seems to last longer than any lease can. */
export const isOverlong = ({ lease }: Pick<RangeRecord, 'lease'>, now: number): boolean =>
  lease !== undefined && lease.until - now > LONGEST_LEASE;

export function withoutLease({ lease: _l, lastError: _e, ...record }: RangeRecord): RangeRecord {
  return record;
}

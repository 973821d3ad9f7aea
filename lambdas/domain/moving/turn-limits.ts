/** How a turn shares what an operator allows a move: places at work, and writes per second. */

import type { Settings } from '../operating/settings.ts';
import type { RangeRecord, Work } from './range-record.ts';

/** What a range goes on to once this work on it is done. */
const AFTER: Partial<Record<Work, Work>> = {
  copy: 'verify-copy',
  'repair-target': 'verify-copy',
  'restore-source': 'verify-restore',
};

/**
 * Whether all places are taken by ranges that were begun before this one (whose lease ends earlier; all turns are equally
 * long). Looked at after the lease was taken, so that of two who begin at once one sees the other.
 */
export function isCrowded(
  { concurrency }: Pick<Settings, 'concurrency'>,
  mine: RangeRecord,
  leased: readonly RangeRecord[],
): boolean {
  if (concurrency === undefined) return false;
  const until = ({ lease }: RangeRecord) => lease?.until ?? 0;
  const before = leased.filter(
    (other) =>
      other.range !== mine.range &&
      (until(other) < until(mine) || (until(other) === until(mine) && other.range < mine.range)),
  );
  return before.length >= concurrency;
}

/**
 * Writes per second for one range: an even share of what its table may have, among the ranges of the part that are not done
 * with this work. Never too much in sum: whoever is done gives nothing away before the others' next turn.
 */
export function writesOf(
  { concurrency, rateLimit }: Settings,
  { range, work }: Pick<RangeRecord, 'range' | 'work'>,
  ranges: readonly string[],
  records: readonly RangeRecord[],
): number | undefined {
  if (rateLimit === undefined) return undefined;
  const isDone = (id: string) =>
    records.some(
      (record) =>
        record.range === id &&
        (record.work === AFTER[work] || (record.work === work && record.done)),
    );
  const part = partOf(range);
  const open = ranges.filter((id) => partOf(id) === part && (id === range || !isDone(id)));
  const concurrently = Math.min(open.length, concurrency ?? open.length);
  return Math.max(1, rateLimit / Math.max(1, concurrently));
}

/** `exports/07` → `exports`. */
const partOf = (range: string): string => range.slice(0, range.lastIndexOf('/'));

/** Shares an operator's rate limit among the ranges of a move. */
import type { Range } from '../datasets/dataset.ts';

/**
 * Writes per second for one range: an even share of its table's limit among the ranges of the part
 * that are `open` (not done with this work), of which no more are worked on at once than there are
 * workers. The sum never exceeds the limit: the share of a range that is done is unused until the
 * next turn of the others.
 */
export function writesOf(
  rateLimit: number,
  { id, part }: Pick<Range, 'id' | 'part'>,
  open: readonly Pick<Range, 'id' | 'part'>[],
  workers: number,
): number {
  const others = open.filter((other) => other.part === part && other.id !== id).length;
  return Math.max(1, rateLimit / Math.min(others + 1, workers));
}

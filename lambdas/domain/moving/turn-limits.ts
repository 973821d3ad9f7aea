/** How ranges share the writes per second that an operator allows a move. */
import type { Range } from '../datasets/dataset.ts';

/**
 * Writes per second for one range: an even share of what its table may have, among the ranges of the part that are `open` (not
 * done with this work); no more of them are worked on at once than there are workers. Never too much in sum: a range that
 * is done gives nothing away before the others' next turn.
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

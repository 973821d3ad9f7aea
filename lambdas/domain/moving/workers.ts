/**
 * Shares the ranges of a phase: it has as many workers as may work at once, and each takes range
 * after range.
 */

/** One of the workers of a Map: its number, from 0 on, and how many there are. */
export interface Worker {
  readonly number: number;
  readonly of: number;
}

/** Names a worker: workers of another phase or attempt have other names. */
export const workerId = (
  { phase, attempt }: { readonly phase: string; readonly attempt: number },
  { number, of }: Worker,
): string => `${phase} ${attempt}, ${number} of ${of}`;

/** True where a lease was taken by another worker than `id` in the same execution of a phase. */
export const isAnothers = (lease: { readonly worker?: string } | undefined, id = ''): boolean =>
  lease?.worker !== undefined && lease.worker !== id && runOf(lease.worker) === runOf(id);

/** The part of a worker's name that all workers of an execution share. */
const runOf = (id: string): string | undefined => id.split(',')[0];

/** As many as `concurrency` allows, and never more than there are ranges. */
export function workersFor(ranges: number, concurrency: number): readonly Worker[] {
  const of = Math.min(ranges, concurrency);
  return Array.from({ length: of }, (_, number) => ({ number, of }));
}

/** The ranges that this worker has to finish. Each range belongs to one worker. */
export const ownOf = <Range>({ number, of }: Worker, ranges: readonly Range[]): readonly Range[] =>
  ranges.filter((_, at) => at % of === number);

/**
 * The ranges of all other workers, for a worker that has finished its own. Each worker begins with
 * the ranges of another neighbour, and from their end, because the neighbour works from their
 * beginning.
 */
export function othersOf<Range>(
  { number, of }: Worker,
  ranges: readonly Range[],
): readonly Range[] {
  const neighbours = Array.from({ length: of - 1 }, (_, at) => (number + of - 1 - at) % of);
  return neighbours.flatMap((neighbour) => ownOf({ number: neighbour, of }, ranges).toReversed());
}

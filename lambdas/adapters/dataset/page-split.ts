/** Splits a page, so that what is done of it can be recorded before all of it is. */
import { BATCH } from './write-pace.ts';

export interface Quarter {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Of the page. */
  readonly share: number;
}

/** Too few items to be worth a checkpoint. */
const FEW = 200;

export function quartersOf(length: number): readonly Quarter[] {
  if (length < FEW) return [{ from: 0, to: length, share: 1 }];
  // Full batches: what is left over waits for others.
  const size = Math.ceil(length / 4 / BATCH) * BATCH;
  const starts = [0, size, 2 * size, 3 * size].filter((from) => from < length);
  return starts.map((from) => {
    const to = Math.min(length, from + size);
    return { from, to, share: (to - from) / length };
  });
}

/**
 * Splits a page into quarters, so that a checkpoint can be recorded before the whole page is
 * written.
 */
import { BATCH } from './adaptive-rate.ts';

export interface PageShare {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** The share of the page. */
  readonly share: number;
}

/** Pages with fewer items are not split: the checkpoint would cost more than it saves. */
const FEW = 200;

export function pageSharesOf(length: number): readonly PageShare[] {
  if (length < FEW) return [{ from: 0, to: length, share: 1 }];
  // Full batches: the remaining writes wait for others.
  const size = Math.ceil(length / 4 / BATCH) * BATCH;
  const starts = [0, size, 2 * size, 3 * size].filter((from) => from < length);
  return starts.map((from) => {
    const to = Math.min(length, from + size);
    return { from, to, share: (to - from) / length };
  });
}

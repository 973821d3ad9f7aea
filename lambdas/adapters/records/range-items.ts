/** How the ledger stores a range: sums of digests in hexadecimal digits, some 300 bytes a side. */
import { type Digest, hexOf, sumOf } from '../../domain/datasets/digest.ts';
import type { Progress, RangeRecord } from '../../domain/moving/range-record.ts';
import type { Item } from './compare-and-set.ts';

export function rangeToItem({ source, target, ...record }: RangeRecord): Item {
  return {
    ...record,
    ...(source ? { source: progressToItem(source) } : {}),
    ...(target ? { target: progressToItem(target) } : {}),
  };
}

export function rangeFromItem({
  id: _i,
  tenant: _t,
  source,
  target,
  ...record
}: Item): RangeRecord {
  // Only rangeToItem writes these items.
  return {
    ...(record as unknown as Omit<RangeRecord, 'source' | 'target'>),
    ...(source ? { source: progressFromItem(source as StoredProgress) } : {}),
    ...(target ? { target: progressFromItem(target as StoredProgress) } : {}),
  };
}

interface StoredProgress {
  readonly cursor?: string;
  readonly done: boolean;
  readonly changed: number;
  readonly items: number;
  readonly bytes: number;
  readonly sum: string;
  readonly lastingItems: number;
  readonly lastingSum: string;
}

function progressToItem({ digest, ...progress }: Progress): StoredProgress {
  return {
    ...progress,
    items: digest.items,
    bytes: digest.bytes,
    sum: hexOf(digest.sum),
    lastingItems: digest.lasting.count,
    lastingSum: hexOf(digest.lasting.sum),
  };
}

function progressFromItem(stored: StoredProgress): Progress {
  const { items, bytes, sum, lastingItems, lastingSum, ...progress } = stored;
  const lasting = { count: lastingItems, sum: sumOf(lastingSum) };
  const digest: Digest = { items, bytes, sum: sumOf(sum), lasting };
  return { ...progress, digest };
}

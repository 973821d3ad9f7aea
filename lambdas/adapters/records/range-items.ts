/**
 * How the ledger stores a range: its digests packed into bytes, 37 for each bucket that is not
 * empty.
 */
import { type Bucket, type Digest, hexOf, sumOf } from '../../domain/datasets/digest.ts';
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
  readonly buckets: Uint8Array;
  readonly lastingItems: number;
  readonly lastingSum: string;
}

function progressToItem({ digest, ...progress }: Progress): StoredProgress {
  return {
    ...progress,
    items: digest.items,
    bytes: digest.bytes,
    buckets: packed(digest.buckets),
    lastingItems: digest.lasting.count,
    lastingSum: hexOf(digest.lasting.sum),
  };
}

function progressFromItem(stored: StoredProgress): Progress {
  const { items, bytes, buckets, lastingItems, lastingSum, ...progress } = stored;
  const lasting = { count: lastingItems, sum: sumOf(lastingSum) };
  const digest: Digest = { items, bytes, buckets: unpacked(buckets), lasting };
  return { ...progress, digest };
}

const ENTRY = 1 + 4 + 32;

function packed(buckets: ReadonlyMap<number, Bucket>): Uint8Array {
  const bytes = Buffer.alloc(buckets.size * ENTRY);
  let at = 0;
  for (const [number, { count, sum }] of buckets) {
    bytes.writeUInt8(number, at);
    bytes.writeUInt32BE(count, at + 1);
    bytes.write(hexOf(sum), at + 5, 'hex');
    at += ENTRY;
  }
  return bytes;
}

function unpacked(stored: Uint8Array): ReadonlyMap<number, Bucket> {
  const bytes = Buffer.from(stored);
  const buckets = new Map<number, Bucket>();
  for (let at = 0; at < bytes.length; at += ENTRY) {
    buckets.set(bytes.readUInt8(at), {
      count: bytes.readUInt32BE(at + 1),
      sum: sumOf(bytes.toString('hex', at + 5, at + ENTRY)),
    });
  }
  return buckets;
}

/**
 * The digest of a set of items: a SHA-256 per item, summed modulo 2^256 in 256 buckets by the hash of the key. A sum
 * does not depend on the order, is additive over ranges, and, unlike XOR, does not let pairs cancel.
 */
const MODULUS = 1n << 256n;

export interface Bucket {
  readonly count: number;
  readonly sum: bigint;
}

export interface Digest {
  readonly items: number;
  readonly bytes: number;
  /** Sparse: bucket number (0 to 255) to its content. */
  readonly buckets: ReadonlyMap<number, Bucket>;
  /** The items that do not expire soon: these must still be there, unchanged, when the source is purged. */
  readonly lasting: Bucket;
}

export const EMPTY_DIGEST: Digest = {
  items: 0,
  bytes: 0,
  buckets: new Map(),
  lasting: { count: 0, sum: 0n },
};

/** What an adapter says about one item. `hash` covers the whole item, key included. */
export interface ItemDigest {
  /** 0 to 255, from the hash of the key. */
  readonly bucket: number;
  readonly hash: bigint;
  readonly bytes: number;
  readonly lasting: boolean;
}

const add = (bucket: Bucket | undefined, count: number, sum: bigint): Bucket => ({
  count: (bucket?.count ?? 0) + count,
  sum: ((bucket?.sum ?? 0n) + sum) % MODULUS,
});

/** Adds items to a digest, which is left as it was. */
export function withItems(digest: Digest, items: Iterable<ItemDigest>): Digest {
  const buckets = new Map(digest.buckets);
  let { items: count, bytes, lasting } = digest;
  for (const item of items) {
    buckets.set(item.bucket, add(buckets.get(item.bucket), 1, item.hash));
    if (item.lasting) lasting = add(lasting, 1, item.hash);
    count += 1;
    bytes += item.bytes;
  }
  return { items: count, bytes, buckets, lasting };
}

/** The sum over all buckets. */
export function total(digest: Digest): Bucket {
  let all: Bucket = { count: 0, sum: 0n };
  for (const bucket of digest.buckets.values()) all = add(all, bucket.count, bucket.sum);
  return all;
}

/** Sums of disjoint sets are the sum of their union. */
export const plus = (one: Bucket, other: Bucket): Bucket => add(one, other.count, other.sum);

/** The buckets in which two digests differ; none means that the sets are equal. */
export function differingBuckets(one: Digest, other: Digest): readonly number[] {
  return Array.from({ length: 256 }, (_, number) => number).filter((number) => {
    const a = one.buckets.get(number);
    const b = other.buckets.get(number);
    return (a?.count ?? 0) !== (b?.count ?? 0) || (a?.sum ?? 0n) !== (b?.sum ?? 0n);
  });
}

export const hexOf = (sum: bigint): string => sum.toString(16).padStart(64, '0');
export const sumOf = (hex: string): bigint => BigInt(`0x${hex}`);

/**
 * The digest of a set of items: a SHA-256 per item, summed modulo 2^256 in 256 buckets by the hash
 * of the key. A sum does not depend on the order, is additive over ranges, and, unlike XOR, does
 * not let pairs cancel.
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
  /**
   * The items that do not expire soon: these must still be there, unchanged, when the source is
   * purged.
   */
  readonly lasting: Bucket;
}

export const EMPTY_DIGEST: Digest = {
  items: 0,
  bytes: 0,
  buckets: new Map(),
  lasting: { count: 0, sum: 0n },
};

/** The digest of one item, by an adapter. `hash` covers the whole item, key included. */
export interface ItemDigest {
  /** 0 to 255, from the hash of the key. */
  readonly bucket: number;
  /** 32 bytes, each a character between 0 and 255, the highest first. */
  readonly hash: string;
  readonly bytes: number;
  readonly lasting: boolean;
}

const add = (bucket: Bucket | undefined, count: number, sum: bigint): Bucket => ({
  count: (bucket?.count ?? 0) + count,
  sum: ((bucket?.sum ?? 0n) + sum) % MODULUS,
});

/** Adds items to a digest; returns a new one. */
export function withItems(digest: Digest, items: Iterable<ItemDigest>): Digest {
  const added = new Map<number, Sum>();
  const lasting = newSum();
  let { items: count, bytes } = digest;
  for (const item of items) {
    const sum = added.get(item.bucket) ?? newSum();
    added.set(item.bucket, sum);
    include(sum, item.hash);
    if (item.lasting) include(lasting, item.hash);
    count += 1;
    bytes += item.bytes;
  }
  const buckets = new Map(digest.buckets);
  for (const [number, sum] of added)
    buckets.set(number, add(buckets.get(number), sum.count, numberOf(sum)));
  return {
    items: count,
    bytes,
    buckets,
    lasting: add(digest.lasting, lasting.count, numberOf(lasting)),
  };
}

/**
 * A sum of hashes in eight plain numbers of 32 bits each, the highest first, because a big integer
 * for every hash would cost as much as the hash. Exact for two million hashes, which is more than a
 * page can hold.
 */
interface Sum {
  count: number;
  readonly words: number[];
}

const newSum = (): Sum => ({ count: 0, words: [0, 0, 0, 0, 0, 0, 0, 0] });

function include(sum: Sum, hash: string): void {
  sum.count += 1;
  for (let word = 0; word < 8; word += 1) {
    const at = word * 4;
    const low =
      (hash.charCodeAt(at + 1) << 16) + (hash.charCodeAt(at + 2) << 8) + hash.charCodeAt(at + 3);
    sum.words[word] = (sum.words[word] ?? 0) + hash.charCodeAt(at) * 2 ** 24 + low;
  }
}

const numberOf = ({ words }: Sum): bigint =>
  words.reduce((sum, word) => (sum << 32n) + BigInt(word), 0n);

/** The sum over all buckets. */
export function total(digest: Digest): Bucket {
  let all: Bucket = { count: 0, sum: 0n };
  for (const bucket of digest.buckets.values()) all = add(all, bucket.count, bucket.sum);
  return all;
}

/** Sums of disjoint sets are the sum of their union. */
export const plus = (one: Bucket, other: Bucket): Bucket => add(one, other.count, other.sum);

/** The buckets in which two digests differ; none where the sets are equal. */
export function differingBuckets(one: Digest, other: Digest): readonly number[] {
  return Array.from({ length: 256 }, (_, number) => number).filter((number) => {
    const a = one.buckets.get(number);
    const b = other.buckets.get(number);
    return (a?.count ?? 0) !== (b?.count ?? 0) || (a?.sum ?? 0n) !== (b?.sum ?? 0n);
  });
}

export const hexOf = (sum: bigint): string => sum.toString(16).padStart(64, '0');
export const sumOf = (hex: string): bigint => BigInt(`0x${hex}`);

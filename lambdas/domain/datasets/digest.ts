/**
 * The digest of a set of items: a SHA-256 per item, summed modulo 2^256. A sum does not depend on
 * the order, is additive over ranges, and, unlike XOR, does not let pairs cancel. It tells that two
 * sets differ; which items differ is found by reading both sides again.
 */
const MODULUS = 1n << 256n;

export interface Sum {
  readonly count: number;
  readonly sum: bigint;
}

export interface Digest {
  readonly items: number;
  readonly bytes: number;
  readonly sum: bigint;
  /**
   * The items that do not expire soon: these must still be there, unchanged, when the source is
   * purged.
   */
  readonly lasting: Sum;
}

export const EMPTY_DIGEST: Digest = { items: 0, bytes: 0, sum: 0n, lasting: { count: 0, sum: 0n } };

/** The digest of one item, by an adapter. `hash` covers the whole item, key included. */
export interface ItemDigest {
  /** 32 bytes, each a character between 0 and 255, the highest first. */
  readonly hash: string;
  readonly bytes: number;
  readonly lasting: boolean;
}

/** Sums of disjoint sets are the sum of their union. */
export const plus = (one: Sum, other: Sum): Sum => ({
  count: one.count + other.count,
  sum: (one.sum + other.sum) % MODULUS,
});

/** Adds items to a digest; returns a new one. */
export function withItems(digest: Digest, items: Iterable<ItemDigest>): Digest {
  const [all, lasting] = [newSum(), newSum()];
  let { bytes } = digest;
  for (const item of items) {
    include(all, item.hash);
    if (item.lasting) include(lasting, item.hash);
    bytes += item.bytes;
  }
  const { count, sum } = plus(total(digest), sumIn(all));
  return { items: count, bytes, sum, lasting: plus(digest.lasting, sumIn(lasting)) };
}

/** Count and sum of all items. */
export const total = ({ items, sum }: Digest): Sum => ({ count: items, sum });

/** True where two sets hold the same items. */
export const isSame = (one: Digest, other: Digest): boolean =>
  one.items === other.items && one.sum === other.sum;

/**
 * A sum of hashes in eight plain numbers of 32 bits each, the highest first, because a big integer
 * for every hash would cost as much as the hash. Exact for two million hashes, which is more than a
 * page can hold.
 */
interface HashSum {
  count: number;
  readonly words: number[];
}

const newSum = (): HashSum => ({ count: 0, words: [0, 0, 0, 0, 0, 0, 0, 0] });

function include(sum: HashSum, hash: string): void {
  sum.count += 1;
  for (let word = 0; word < 8; word += 1) {
    const at = word * 4;
    const low =
      (hash.charCodeAt(at + 1) << 16) + (hash.charCodeAt(at + 2) << 8) + hash.charCodeAt(at + 3);
    sum.words[word] = (sum.words[word] ?? 0) + hash.charCodeAt(at) * 2 ** 24 + low;
  }
}

const sumIn = ({ count, words }: HashSum): Sum => ({
  count,
  sum: words.reduce((sum, word) => (sum << 32n) + BigInt(word), 0n) % MODULUS,
});

export const hexOf = (sum: bigint): string => sum.toString(16).padStart(64, '0');
export const sumOf = (hex: string): bigint => BigInt(`0x${hex}`);

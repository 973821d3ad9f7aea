/** The sums by which two sets of items are found to be equal. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Digest,
  EMPTY_DIGEST,
  hexOf,
  type ItemDigest,
  isSame,
  plus,
  sumOf,
  total,
  withItems,
} from '../../../lambdas/domain/datasets/digest.ts';

const sum = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n });
const bytesOf = (number: bigint): string => Buffer.from(hexOf(number), 'hex').toString('latin1');
const hash = sum.map(bytesOf);
const item: fc.Arbitrary<ItemDigest> = fc.record({
  hash,
  bytes: fc.nat(1_000),
  lasting: fc.boolean(),
});
const items = fc.array(item, { maxLength: 20 });
const of = (...all: readonly ItemDigest[]): Digest => withItems(EMPTY_DIGEST, all);

describe('a digest', () => {
  test('does not depend on the order', () => {
    fc.assert(
      fc.property(items, fc.nat(), (all, turn) => {
        const at = all.length === 0 ? 0 : turn % all.length;
        const turned = [...all.slice(at), ...all.slice(0, at)].reverse();
        expect(of(...turned)).toEqual(of(...all));
      }),
    );
  });

  test('goes on from where it stood, and leaves that as it was', () => {
    fc.assert(
      fc.property(items, items, (one, other) => {
        const first = of(...one);
        const before = structuredClone(first);
        expect(withItems(first, other)).toEqual(of(...one, ...other));
        expect(first).toEqual(before);
      }),
    );
  });

  test('adds up over disjoint sets', () => {
    fc.assert(
      fc.property(items, items, (one, other) => {
        expect(plus(total(of(...one)), total(of(...other)))).toEqual(total(of(...one, ...other)));
      }),
    );
  });

  test('notices one item more, less, or changed', () => {
    fc.assert(
      fc.property(items, item, hash, (all, extra, changed) => {
        expect(isSame(of(...all), of(...all, extra))).toBe(false);
        fc.pre(changed !== extra.hash);
        const other = { ...extra, hash: changed };
        expect(isSame(of(...all, extra), of(...all, other))).toBe(false);
      }),
    );
  });

  test('notices a pair of equal items, which would cancel under XOR, and an item whose hash is 0', () => {
    const twin: ItemDigest = { hash: bytesOf(5n), bytes: 1, lasting: true };
    expect(isSame(of(), of(twin, twin))).toBe(false);
    expect(isSame(of(twin), of(twin, twin))).toBe(false);
    expect(isSame(of(), of({ ...twin, hash: bytesOf(0n) }))).toBe(false);
  });

  test('of equal sets is the same', () => {
    fc.assert(
      fc.property(items, (all) => {
        expect(isSame(of(...all), of(...all))).toBe(true);
      }),
    );
  });

  test('is the sum of the hashes, to the last bit', () => {
    fc.assert(
      fc.property(fc.array(sum, { maxLength: 50 }), (all) => {
        const digests = all.map((one) => ({
          hash: bytesOf(one),
          bytes: 1,
          lasting: one % 2n === 0n,
        }));
        const modulus = 1n << 256n;
        const added = (members: readonly bigint[]) =>
          members.reduce((one, other) => (one + other) % modulus, 0n);
        const digest = of(...digests);
        expect(total(digest)).toEqual({ count: all.length, sum: added(all) });
        expect(digest.lasting.sum).toBe(added(all.filter((one) => one % 2n === 0n)));
      }),
    );
  });

  test('is exact over many of the largest hashes', () => {
    const most = (1n << 256n) - 1n;
    const largest = { hash: bytesOf(most), bytes: 1, lasting: false };
    const digest = withItems(
      EMPTY_DIGEST,
      Array.from({ length: 100_000 }, () => largest),
    );
    expect(digest.sum).toBe((most * 100_000n) % (most + 1n));
  });

  test('sums modulo 2^256', () => {
    const hash = bytesOf((1n << 256n) - 1n);
    const largest: ItemDigest = { hash, bytes: 1, lasting: false };
    const third = { ...largest, hash: bytesOf(3n) };
    expect(total(of(largest, third))).toEqual({ count: 2, sum: 2n });
  });

  test('counts apart what lasts', () => {
    const [lasting, fleeting] = [true, false].map((isLasting) => ({
      hash: bytesOf(2n),
      bytes: 10,
      lasting: isLasting,
    }));
    const digest = of(...[lasting, fleeting].filter((one) => one !== undefined));
    expect(digest).toMatchObject({ items: 2, bytes: 20, lasting: { count: 1, sum: 2n } });
  });

  test('is written as 64 hexadecimal digits, and read again', () => {
    fc.assert(
      fc.property(sum, (sum) => {
        expect(hexOf(sum)).toMatch(/^[0-9a-f]{64}$/);
        expect(sumOf(hexOf(sum))).toBe(sum);
      }),
    );
  });
});

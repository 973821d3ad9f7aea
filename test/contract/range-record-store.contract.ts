/** The contract of every store of range records. */
import { describe, expect, test } from 'vitest';
import { type Digest, EMPTY_DIGEST } from '../../lambdas/domain/datasets/digest.ts';
import type { RangeRecord } from '../../lambdas/domain/moving/range-record.ts';
import { rangeRecord } from '../support/builders.ts';
import type { LedgerSuite } from './ledger-suite.ts';

export function rangeRecordStoreContract({ the, ledger, keyOf }: LedgerSuite): void {
  const store = () => ledger().rangeRecords;

  describe('of ranges', () => {
    const largest = (1n << 256n) - 1n;
    const digests: readonly (readonly [string, Digest])[] = [
      ['that is empty', EMPTY_DIGEST],
      [
        'with the largest sums',
        {
          items: 32_896,
          bytes: 2 ** 40,
          sum: largest,
          lasting: { count: 9, sum: largest },
        },
      ],
      [
        'with a large count',
        {
          items: 2 ** 32 - 1,
          bytes: 1,
          sum: 1n,
          lasting: { count: 2 ** 32 - 1, sum: 1n },
        },
      ],
    ];

    test.each(digests)('keeps a digest %s as it is', async (_, digest) => {
      const source = { cursor: '{"id":"ü"}', done: false, digest, changed: 12 };
      const target = { done: true, digest, changed: 0 };
      await store().put('de', keyOf(), rangeRecord({ source, target }));
      expect(await store().read('de', keyOf(), 'templates/00')).toEqual(
        rangeRecord({ revision: expect.any(Number), source, target }),
      );
    });

    test('keeps every field as it is', async () => {
      const complete: RangeRecord = rangeRecord({
        tries: 1,
        done: true,
        cleared: true,
        repaired: true,
        lastError: 'a test says so',
        lease: { owner: 'invocation-1', until: 1_800_000_000_123, worker: 'copy 1, 0 of 2' },
      });
      await store().put('de', keyOf(), complete);
      expect(await store().list('de', keyOf())).toEqual([
        { ...complete, revision: expect.any(Number) },
      ]);
    });

    test('writes only over the revision that was read', async () => {
      const first = await store().put('de', keyOf(), rangeRecord());
      expect(first).toEqual(rangeRecord({ revision: expect.any(Number) }));
      expect(await store().put('de', keyOf(), rangeRecord({ tries: 5 }))).toBeUndefined();
      const second = first && (await store().put('de', keyOf(), { ...first, tries: 1 }));
      expect(second).toEqual(rangeRecord({ revision: expect.any(Number), tries: 1 }));
      expect(second?.revision).not.toBe(first?.revision);
      expect(first && (await store().put('de', keyOf(), { ...first, tries: 9 }))).toBeUndefined();
      expect(await store().put('de', keyOf(), rangeRecord({ revision: 7 }))).toBeUndefined();
      expect(await store().read('de', keyOf(), 'templates/00')).toEqual(second);
    });

    test('lets one of two workers have the range', async () => {
      const take = (owner: string) =>
        store().put('de', keyOf(), rangeRecord({ lease: { owner, until: 5 } }));
      const taken = await Promise.all([take('a'), take('b')]);
      expect(taken.filter((record) => record !== undefined)).toHaveLength(1);
    });

    test('keeps ranges, migrations and realms apart', async () => {
      await store().put('de', keyOf('5'), rangeRecord({ range: 'exports/00' }));
      await store().put('de', keyOf('5'), rangeRecord({ range: 'exports/01' }));
      await store().put('de', keyOf('57'), rangeRecord());
      expect((await store().list('de', keyOf('5'))).map(({ range }) => range).sort()).toEqual([
        'exports/00',
        'exports/01',
      ]);
      expect(await store().list('us', keyOf('5'))).toEqual([]);
      expect(await store().read('de', keyOf('5'), 'exports/0')).toBeUndefined();
    });
  });

  describe('of ranges whose replies are lost', () => {
    test('knows a lease that it took itself, and not one that another took', async () => {
      const take = (owner: string) =>
        store().put('de', keyOf(), rangeRecord({ lease: { owner, until: 5 } }));
      the().loseReplies(1);
      const mine = await take('a');
      expect(mine?.lease?.owner).toBe('a');
      expect(await take('b')).toBeUndefined();
      the().loseReplies(1);
      const next = mine && (await store().put('de', keyOf(), { ...mine, tries: 1 }));
      expect(next).toEqual(await store().read('de', keyOf(), 'templates/00'));
      expect(next?.tries).toBe(1);
    });

    test('lets one of two workers have the range', async () => {
      the().loseReplies(2);
      const taken = await Promise.all(
        ['a', 'b'].map((owner) =>
          store().put('de', keyOf(), rangeRecord({ lease: { owner, until: 5 } })),
        ),
      );
      the().loseReplies(0);
      const winners = taken.filter((record) => record !== undefined);
      expect(winners).toEqual([await store().read('de', keyOf(), 'templates/00')]);
    });
  });
}

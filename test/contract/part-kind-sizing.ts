/** The contract of every part kind on sizes. */
import { describe, expect, test } from 'vitest';
import { sizeOfItem } from '../../lambdas/adapters/dataset/item-encoding.ts';
import type { Item } from '../../lambdas/adapters/dataset/item-key.ts';
import type { RangeSize } from '../../lambdas/domain/datasets/size.ts';
import {
  bytes,
  FOREVER,
  inSeconds,
  KEPT_FOR_EVER,
  NOW,
  note,
  notes,
  type PartKindSuite,
  rangeOf,
} from '../support/part-kind-suite.ts';

/** A page (three items here) may be rounded up to this many bytes. */
const PAGE_ROUNDING = 4096;

export function sizingContract(suite: PartKindSuite): void {
  describe('a size', () => {
    const exactBytes = (items: readonly Item[]) =>
      items.reduce((sum, item) => sum + sizeOfItem(item), 0);
    const long = (tenant: string, count: number) =>
      notes(tenant, count).map((item) => ({ ...item, text: { S: 'x'.repeat(20_000) } }));

    const counts = 'counts the items, and roughly the bytes, of this range in this realm';
    test.runIf(suite.isExact)(counts, async () => {
      const tenant = suite.newTenant();
      const items = long(tenant, 7);
      await suite.host.put('us', 'notes', items);
      await suite.host.put('us', 'notes', long(`${tenant}0`, 4));
      await suite.host.put('de', 'notes', long(tenant, 1));
      const size = await suite.kind.size(rangeOf('notes', tenant), 'us', FOREVER);
      expect(size).toMatchObject({ items: 7, expired: 0, complete: true });
      expect(size.cursor).toBeUndefined();
      expect(size.bytes).toBeGreaterThanOrEqual(0.98 * exactBytes(items));
      expect(size.bytes).toBeLessThanOrEqual(exactBytes(items) + 3 * PAGE_ROUNDING);
    });

    test('of nothing is nothing', async () => {
      const range = rangeOf('notes', suite.newTenant());
      expect(await suite.kind.size(range, 'us', FOREVER)).toEqual({
        items: 0,
        expired: 0,
        bytes: 0,
        complete: true,
      });
    });

    test.runIf(suite.isOfItems)(
      'leaves out what has expired, and says how much that is',
      async () => {
        const tenant = suite.newTenant();
        await suite.host.put('us', 'notes', [
          ...notes(tenant, 5),
          note(tenant, 'over', { expiresAt: { N: String(NOW.asOf) } }),
          note(tenant, 'long over', { expiresAt: inSeconds(-1_000_000) }),
          note(tenant, 'still there', { expiresAt: { N: String(NOW.asOf + 1) } }),
          ...Object.entries(KEPT_FOR_EVER).map(([id, expiresAt]) =>
            note(tenant, id, { expiresAt }),
          ),
        ]);
        expect(await suite.kind.size(rangeOf('notes', tenant), 'us', FOREVER)).toMatchObject({
          items: 6 + Object.keys(KEPT_FOR_EVER).length,
          expired: 2,
        });
      },
    );

    test.runIf(suite.isOrdered)(
      'says that there is more when its time is over, and goes on from there',
      async () => {
        const tenant = suite.newTenant();
        await suite.host.put('us', 'notes', notes(tenant, 10));
        const range = rangeOf('notes', tenant);
        const turns: RangeSize[] = [];
        while (!turns.at(-1)?.complete)
          turns.push(await suite.kind.size(range, 'us', 0, turns.at(-1)));
        expect(turns.length).toBeGreaterThanOrEqual(4);
        expect(turns[0]).toMatchObject({ items: 3, complete: false });
        expect(turns.at(-1)).toEqual(await suite.kind.size(range, 'us', FOREVER));
      },
    );

    test.runIf(suite.isOrdered && suite.isOfItems).each([
      [
        'counters',
        (tenant: string) =>
          [1, -2, 3.5, 40].map((number) => ({ tenant: { S: tenant }, number: { N: `${number}` } })),
      ],
      [
        'blobs',
        (tenant: string) =>
          [1, 200, 3, 255].map((byte) => ({ tenant: { S: tenant }, bytes: { B: bytes(byte) } })),
      ],
    ])('goes on over the keys of %s', async (part, items) => {
      const tenant = suite.newTenant();
      await suite.host.put('us', part, items(tenant));
      const range = rangeOf(part, tenant);
      const first = await suite.kind.size(range, 'us', 0);
      expect(first).toMatchObject({ items: 3, complete: false });
      expect(await suite.kind.size(range, 'us', FOREVER, first)).toMatchObject({
        items: 4,
        complete: true,
      });
    });
  });
}

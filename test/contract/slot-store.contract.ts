/** The contract of every store of windows. */
import { describe, expect, test } from 'vitest';
import type { LedgerSuite } from './ledger-suite.ts';

export function slotStoreContract({
  the,
  ledger,
  clock,
  tenant,
  number,
  keyOf,
}: LedgerSuite): void {
  const store = () => ledger().slots;

  describe('of windows', () => {
    /** On a day of this test alone. */
    const at = (hour: number) => new Date(Date.UTC(2030, 0, number(), hour)).toISOString();
    const take = (of: string, id: string, from = 1, to = 3, cap = 2) =>
      store().take(
        { ledger: 'de', tenant: `${tenant()}-${of}`, id },
        { start: at(from), end: at(to) },
        cap,
      );
    const free = (of: string, id: string) =>
      store().free({ ledger: 'de', tenant: `${tenant()}-${of}`, id });
    const held = async () =>
      (await store().list('de')).filter((slot) => slot.tenant.startsWith(`${tenant()}-`));

    test('gives as many that overlap as the cap says', async () => {
      expect([await take('a', '1'), await take('b', '1'), await take('c', '1')]).toEqual([
        true,
        true,
        false,
      ]);
      expect(await take('c', '2', 3, 5)).toBe(true);
      expect(await held()).toHaveLength(3);
    });

    test('counts a migration once, however often it asks, and even when there is no place left', async () => {
      expect([
        await take('a', '1'),
        await take('b', '1'),
        await take('a', '1'),
        await take('b', '1'),
      ]).toEqual([true, true, true, true]);
      expect(await held()).toHaveLength(2);
    });

    test('does not count the other windows of the same tenant', async () => {
      expect([await take('a', '1'), await take('b', '1'), await take('a', '2')]).toEqual([
        true,
        true,
        true,
      ]);
    });

    test('frees one, and that one only, as often as asked', async () => {
      await take('a', '1');
      await take('b', '1');
      await free('a', '1');
      await free('a', '1');
      await free('nobody', '1');
      expect((await held()).map((slot) => slot.tenant)).toEqual([`${tenant()}-b`]);
      expect(await take('c', '1')).toBe(true);
    });

    test('gives the last place to one of two who ask at once', async () => {
      const answers = await Promise.all([take('a', '1', 1, 3, 1), take('b', '1', 1, 3, 1)]);
      expect(answers.toSorted()).toEqual([false, true]);
      expect(await held()).toHaveLength(1);
    });

    test('gives exactly as many as the cap says when many ask at once', async () => {
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, n) => take(`many-${n}`, '1', 1, 3, 15)),
      );
      expect(answers.filter(Boolean)).toHaveLength(15);
      expect(await held()).toHaveLength(15);
    });

    test('gives all of many that ask at once and do not overlap, whatever the cap', async () => {
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, hour) => take(`one-${hour}`, '1', hour, hour + 1, 1)),
      );
      expect(answers).toEqual(Array(8).fill(true));
      expect(await held()).toHaveLength(8);
    });

    test('counts a migration once that asks twice at the same time', async () => {
      const twice = await Promise.all([take('a', '1', 1, 3, 3), take('a', '1', 1, 3, 3)]);
      expect(twice).toEqual([true, true]);
      expect(await held()).toHaveLength(1);
      expect([await take('b', '1', 1, 3, 2), await take('c', '1', 1, 3, 2)]).toEqual([true, false]);
      await free('a', '1');
      expect(await take('c', '1', 1, 3, 2)).toBe(true);
    });

    test('counts what was taken under a higher cap', async () => {
      for (const name of ['a', 'b', 'c']) expect(await take(name, '1', 1, 3, 5)).toBe(true);
      expect(await take('d', '1', 1, 3, 3)).toBe(false);
      expect(await take('d', '2', 4, 5, 1)).toBe(true);
      await free('b', '1');
      expect(await take('d', '1', 1, 3, 3)).toBe(true);
      expect(await take('e', '1', 1, 3, 3)).toBe(false);
    });

    test('says since when, for whom and from when to when', async () => {
      await take('a', '1');
      expect(await held()).toEqual([
        {
          tenant: `${tenant()}-a`,
          id: '1',
          takenAt: new Date(clock.now()).toISOString(),
          start: at(1),
          end: at(3),
        },
      ]);
    });
  });

  test('holds one window for a migration whose replies are lost', async () => {
    const window = { start: '2031-01-01T00:00:00.000Z', end: '2031-01-01T01:00:00.000Z' };
    the().loseReplies(1);
    expect(await store().take(keyOf(), window, 1)).toBe(true);
    const held = (await store().list('us')).filter((slot) => slot.tenant === tenant());
    expect(held).toHaveLength(1);
    the().loseReplies(1);
    await store().free(keyOf());
    expect((await store().list('us')).filter((slot) => slot.tenant === tenant())).toEqual([]);
  });
}

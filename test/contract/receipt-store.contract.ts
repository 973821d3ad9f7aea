/** The contract of every store of receipts. */
import { describe, expect, test } from 'vitest';
import type { Receipt, ReceiptLink } from '../../lambdas/domain/moving/receipt.ts';
import { receiptOf } from '../support/builders.ts';
import type { LedgerSuite } from './ledger-suite.ts';

export function receiptStoreContract({ ledger, tenant }: LedgerSuite): void {
  const store = () => ledger().receipts;

  describe('of receipts', () => {
    const complete: Receipt = receiptOf({
      state: 'committed',
      checksums: {
        templates: { items: 1, bytes: 2, sum: 'a', lastingItems: 1, lastingSum: 'b' },
      },
      provenEmpty: { realm: 'us', at: '2026-12-26T03:00:00.000Z', ranges: ['templates/00'] },
      backupsExpire: '2027-01-03',
    });
    const read = (realm = 'de') => store().read(realm, tenant(), '57500');

    test('keeps them as they are, by realm', async () => {
      await store().write('de', { ...complete, tenant: tenant() });
      expect(await read()).toEqual({ ...complete, tenant: tenant() });
      expect(await read('us')).toBeUndefined();
      expect(await store().read('de', tenant(), '5750')).toBeUndefined();
    });

    test('replaces one by a later one, and by one that says the same', async () => {
      for (const state of ['ready-to-commit', 'committed', 'committed', 'rolled-back'] as const) {
        await store().write('de', receiptOf({ tenant: tenant(), state, at: `at ${state}` }));
        expect(await read()).toMatchObject({ state, at: `at ${state}` });
      }
    });

    test('never replaces one by an earlier one that was delayed', async () => {
      await store().write('de', receiptOf({ tenant: tenant(), state: 'rolled-back' }));
      await store().write('de', receiptOf({ tenant: tenant(), state: 'committed' }));
      await store().write('de', receiptOf({ tenant: tenant(), state: 'ready-to-commit' }));
      expect(await read()).toMatchObject({ state: 'rolled-back' });
    });
  });

  describe('of the chain of receipts', () => {
    const link = (number: number, previous = ''): ReceiptLink => ({
      number,
      previous,
      tenant: tenant(),
      id: '57500',
      state: 'committed',
      receipt: `hash ${number}`,
    });

    test('keeps links in the order of their numbers, by realm, and takes no number twice', async () => {
      const realm = 'us';
      const last = (await store().lastLink(realm))?.number ?? 0;
      for (const number of [last + 1, last + 2, last + 10])
        expect(await store().addLink(realm, link(number))).toBe(true);
      expect(await store().addLink(realm, link(last + 2, 'other'))).toBe(false);
      expect(await store().lastLink(realm)).toEqual(link(last + 10));
      const numbers = (await store().links(realm)).map(({ number }) => number);
      expect(numbers.slice(-3)).toEqual([last + 1, last + 2, last + 10]);
    });

    test('gives one number to one of two that ask for it at once', async () => {
      const number = 1 + ((await store().lastLink('de'))?.number ?? 0);
      const added = await Promise.all(
        ['a', 'b'].map((previous) => store().addLink('de', link(number, previous))),
      );
      expect(added.sort()).toEqual([false, true]);
    });

    test('keeps of two receipts of one state the one that was signed later', async () => {
      const signed = (number: number) =>
        receiptOf({
          tenant: tenant(),
          state: 'committed',
          link: { realm: 'us', number, previous: '' },
        });
      await store().write('us', signed(8));
      await store().write('us', signed(7));
      expect((await store().read('us', tenant(), '57500'))?.link?.number).toBe(8);
      await store().write('us', signed(9));
      expect((await store().read('us', tenant(), '57500'))?.link?.number).toBe(9);
    });
  });

  test('keeps the receipt of each purge of a retired tenant, per realm', async () => {
    const purged = (begunAt: string, at: string) => ({
      tenant: tenant(),
      uninstalledIat: 1_000,
      begunAt,
      at,
      provenEmpty: ['templates/00'],
      backupsExpire: '2026-12-31',
    });
    expect(await store().purges('us', tenant())).toEqual([]);
    await store().writePurge('us', purged('2026-01', '2026-02'));
    await store().writePurge('us', purged('2026-01', '2026-03'));
    await store().writePurge('us', purged('2026-05', '2026-06'));
    expect(await store().purges('us', tenant())).toEqual([
      purged('2026-01', '2026-03'),
      purged('2026-05', '2026-06'),
    ]);
    expect(await store().purges('de', tenant())).toEqual([]);
  });
}

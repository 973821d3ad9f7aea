/**
 * Receipts in the ledger: one item for the last receipt of a move, and one for each purge of a
 * retired tenant.
 */
import { type Receipt, staysBefore } from '../../domain/moving/receipt.ts';
import type { PurgeReceipt } from '../../domain/tenants/retirement.ts';
import type { ReceiptStore } from '../../ports.ts';
import { changeCell, readCell } from './compare-and-set.ts';
import { byPrefix, cellsOf, type LedgerTables, queryCells } from './ledger-table.ts';
import { receiptChain } from './receipt-chain.ts';

const receiptId = (id: string) => `receipt#${id}`;
const PURGES = 'purge#';

export function dynamoDbReceipts(tables: LedgerTables): ReceiptStore {
  const receipts = cellsOf<Receipt>(
    tables,
    (receipt) => ({ receipt }),
    (item) => item['receipt'] as Receipt,
  );
  const purges = cellsOf<PurgeReceipt>(
    tables,
    (purge) => ({ purge }),
    (item) => item['purge'] as PurgeReceipt,
  );
  return {
    read: async (realm, tenant, id) =>
      (await readCell(receipts(realm), { tenant, id: receiptId(id) })).record,

    async write(realm, receipt) {
      const key = { tenant: receipt.tenant, id: receiptId(receipt.id) };
      await changeCell(receipts(realm), key, (current) =>
        staysBefore(current, receipt) ? undefined : receipt,
      );
    },

    async writePurge(realm, receipt) {
      const key = { tenant: receipt.tenant, id: `${PURGES}${receipt.begunAt}` };
      await changeCell(purges(realm), key, () => receipt);
    },

    purges: (realm, tenant) =>
      queryCells(purges(realm), byPrefix(tables.tableOf(realm), tenant, PURGES)),

    ...receiptChain(tables),
  };
}

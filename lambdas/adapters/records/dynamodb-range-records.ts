/** The records of ranges in the ledger: one item for each range of a migration. */
import type { RangeRecordStore } from '../../ports.ts';
import { putCell, readCell } from './compare-and-set.ts';
import { byPrefix, cellsOf, type LedgerTables, queryCells } from './ledger-table.ts';
import { rangeFromItem, rangeToItem } from './range-items.ts';

const rangePrefix = (id: string) => `range#${id}#`;

export function dynamoDbRangeRecords(tables: LedgerTables): RangeRecordStore {
  const records = cellsOf(tables, rangeToItem, rangeFromItem);
  return {
    read: async (realm, { tenant, id }, range) =>
      (await readCell(records(realm), { tenant, id: rangePrefix(id) + range })).record,

    list: (realm, { tenant, id }) =>
      queryCells(records(realm), byPrefix(tables.tableOf(realm), tenant, rangePrefix(id))),

    async put(realm, { tenant, id }, next) {
      const key = { tenant, id: rangePrefix(id) + next.range };
      const revision = await putCell(records(realm), key, next, next.revision);
      return revision === undefined ? undefined : { ...next, revision };
    },
  };
}

/**
 * Migrations in the ledger: one item for the status of each, and one for each entry of its history.
 */
import { type HistoryEntry, historyEntry } from '../../domain/moving/history.ts';
import { isFinal, type Migration, type MigrationKey } from '../../domain/moving/migration.ts';
import type { MigrationStore } from '../../ports.ts';
import { changeCell, type Item, putCell, readCell } from './compare-and-set.ts';
import { byPrefix, cellsOf, type LedgerTables, queryCells } from './ledger-table.ts';

const statusId = (id: string) => `status#${id}`;
const historyPrefix = (id: string) => `history#${id}#`;

export function dynamoDbMigrations(tables: LedgerTables): MigrationStore {
  const { tableOf, clock } = tables;
  const statuses = cellsOf(tables, migrationToItem, migrationFromItem);
  const entries = cellsOf<HistoryEntry>(tables, (entry) => ({ ...entry }), entryFromItem);

  /** A crash before this write loses an entry of the history, and nothing else. */
  async function recordHistory({ ledger, tenant, id }: MigrationKey, entry: HistoryEntry) {
    const { at, status, attempt } = entry;
    const step = attempt === undefined ? status : `${status}#${attempt}`;
    await putCell(entries(ledger), { tenant, id: `${historyPrefix(id)}${at}#${step}` }, entry, 0);
  }

  return {
    read: async ({ ledger, tenant, id }) =>
      (await readCell(statuses(ledger), { tenant, id: statusId(id) })).record,

    list: (ledger, tenant) =>
      queryCells(statuses(ledger), byPrefix(tableOf(ledger), tenant, statusId(''))),

    async change({ ledger, tenant, id }, actor, decide) {
      let before: Migration | undefined;
      const change = await changeCell(statuses(ledger), { tenant, id: statusId(id) }, (current) => {
        before = current;
        const next = decide(current);
        if (next === undefined || next === 'remove') return next;
        return { ...next, updatedAt: new Date(clock.now()).toISOString() };
      });
      const { changed, record } = change;
      const entry = changed && record && historyEntry(before, record, actor);
      if (entry) await recordHistory({ ledger, tenant, id }, entry);
      return change;
    },

    history: ({ ledger, tenant, id }) =>
      queryCells(entries(ledger), byPrefix(tableOf(ledger), tenant, historyPrefix(id))),

    open: (ledger) =>
      queryCells(statuses(ledger), {
        TableName: tableOf(ledger),
        IndexName: 'open',
        KeyConditionExpression: '#openIn = :realm',
        ExpressionAttributeNames: { '#openIn': 'openIn' },
        ExpressionAttributeValues: { ':realm': ledger },
      }),
  };
}

/** `openIn` and `dueAt` make the sparse index, which has no final migrations. */
function migrationToItem(migration: Migration): Item {
  const { id, ...record } = migration;
  const due = {
    openIn: migration.ledger,
    dueAt: migration.facts?.endTime ?? migration.scheduledAt,
  };
  return { ...record, migration: id, ...(isFinal(migration) ? {} : due) };
}

/** Reads a `status#…` item. */
export function migrationFromItem({
  migration,
  revision: _r,
  openIn: _o,
  dueAt: _d,
  id: _i,
  ...record
}: Item): Migration {
  if (typeof migration !== 'string') throw new Error('a ledger record names no migration');
  // Only migrationToItem writes these items.
  return { ...(record as Omit<Migration, 'id'>), id: migration };
}

function entryFromItem({ tenant: _t, id: _i, revision: _r, ...entry }: Item): HistoryEntry {
  // Only recordHistory writes these items.
  return entry as unknown as HistoryEntry;
}

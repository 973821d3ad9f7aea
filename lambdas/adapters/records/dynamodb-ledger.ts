/** The ledger in DynamoDB: per tenant, one small item each for a migration, a history entry, a range and a receipt. */
import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import type { Measurement } from '../../domain/datasets/size.ts';
import { type HistoryEntry, historyEntry } from '../../domain/moving/history.ts';
import { isFinal, type Migration, type MigrationKey } from '../../domain/moving/migration.ts';
import { type Receipt, staysBefore } from '../../domain/moving/receipt.ts';
import type { Realm } from '../../domain/realm.ts';
import type { PurgeReceipt } from '../../domain/tenants/retirement.ts';
import type { Clock, Log, MigrationLedger } from '../../ports.ts';
import {
  type Cells,
  changeCell,
  type Item,
  putCell,
  readCell,
  translated,
} from './compare-and-set.ts';
import { dynamoDbSettings } from './dynamodb-settings.ts';
import { dynamoDbSlots } from './dynamodb-slots.ts';
import { rangeFromItem, rangeToItem } from './range-items.ts';
import { receiptChain } from './receipt-chain.ts';

export interface LedgerTables {
  readonly clientFor: (realm: Realm) => DynamoDBDocumentClient;
  readonly tableOf: (realm: Realm) => string;
  readonly clock: Clock;
  /** Hears of settings that nobody can read. */
  readonly log?: Pick<Log, 'error'>;
}

const statusId = (id: string) => `status#${id}`;
const rangePrefix = (id: string) => `range#${id}#`;
const historyPrefix = (id: string) => `history#${id}#`;
const PURGES = 'purge#';
const receiptId = (id: string) => `receipt#${id}`;

export function dynamoDbLedger(tables: LedgerTables): MigrationLedger {
  const { clientFor, tableOf, clock } = tables;
  const cells = <T>(
    realm: Realm,
    toItem: (record: T) => Item,
    fromItem: (item: Item) => T,
  ): Cells<T> => ({
    client: clientFor(realm),
    table: tableOf(realm),
    toItem,
    fromItem,
  });
  const migrations = (realm: Realm) => cells(realm, migrationToItem, migrationFromItem);
  const ranges = (realm: Realm) => cells(realm, rangeToItem, rangeFromItem);
  const receipts = (realm: Realm) =>
    cells<Receipt>(realm, plain, (item) => item['receipt'] as Receipt);
  const purges = (realm: Realm) =>
    cells<PurgeReceipt>(
      realm,
      (purge) => ({ purge }),
      (item) => item['purge'] as PurgeReceipt,
    );
  const measurements = (realm: Realm) =>
    cells<Measurement>(
      realm,
      (measurement) => ({ measurement }),
      (item) => item['measurement'] as Measurement,
    );
  const history = (realm: Realm) =>
    cells<HistoryEntry>(realm, (entry) => ({ ...entry }), entryFromItem);

  async function query<T>(
    { client, table, fromItem }: Cells<T>,
    tenant: string,
    prefix: string,
  ): Promise<T[]> {
    return translated(table, async () => {
      const found: T[] = [];
      const pages = paginateQuery(
        { client },
        {
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: '#tenant = :tenant AND begins_with(#id, :prefix)',
          ExpressionAttributeNames: { '#tenant': 'tenant', '#id': 'id' },
          ExpressionAttributeValues: { ':tenant': tenant, ':prefix': prefix },
        },
      );
      for await (const page of pages) found.push(...(page.Items ?? []).map(fromItem));
      return found;
    });
  }

  /** A crash before this loses a line of history, and nothing else. */
  async function recordHistory({ ledger, tenant, id }: MigrationKey, entry: HistoryEntry) {
    const { at, status, attempt } = entry;
    const step = attempt === undefined ? status : `${status}#${attempt}`;
    await putCell(history(ledger), { tenant, id: `${historyPrefix(id)}${at}#${step}` }, entry, 0);
  }

  return {
    read: async ({ ledger, tenant, id }) =>
      (await readCell(migrations(ledger), { tenant, id: statusId(id) })).record,

    list: (ledger, tenant) => query(migrations(ledger), tenant, statusId('')),

    async change({ ledger, tenant, id }, actor, decide) {
      let before: Migration | undefined;
      const change = await changeCell(
        migrations(ledger),
        { tenant, id: statusId(id) },
        (current) => {
          before = current;
          const next = decide(current);
          if (next === undefined || next === 'remove') return next;
          return { ...next, updatedAt: new Date(clock.now()).toISOString() };
        },
      );
      const { changed, record } = change;
      const entry = changed && record && historyEntry(before, record, actor);
      if (entry) await recordHistory({ ledger, tenant, id }, entry);
      return change;
    },

    history: ({ ledger, tenant, id }) => query(history(ledger), tenant, historyPrefix(id)),

    async open(ledger) {
      const { client, table, fromItem } = migrations(ledger);
      return translated(table, async () => {
        const found: Migration[] = [];
        const pages = paginateQuery(
          { client },
          {
            TableName: table,
            IndexName: 'open',
            KeyConditionExpression: '#openIn = :realm',
            ExpressionAttributeNames: { '#openIn': 'openIn' },
            ExpressionAttributeValues: { ':realm': ledger },
          },
        );
        for await (const page of pages) found.push(...(page.Items ?? []).map(fromItem));
        return found;
      });
    },

    readRange: async (realm, { tenant, id }, range) =>
      (await readCell(ranges(realm), { tenant, id: rangePrefix(id) + range })).record,

    listRanges: (realm, { tenant, id }) => query(ranges(realm), tenant, rangePrefix(id)),

    async putRange(realm, { tenant, id }, next) {
      const key = { tenant, id: rangePrefix(id) + next.range };
      const revision = await putCell(ranges(realm), key, next, next.revision);
      return revision === undefined ? undefined : { ...next, revision };
    },

    readReceipt: async (realm, tenant, id) =>
      (await readCell(receipts(realm), { tenant, id: receiptId(id) })).record,

    async writeReceipt(realm, receipt) {
      const key = { tenant: receipt.tenant, id: receiptId(receipt.id) };
      await changeCell(receipts(realm), key, (current) =>
        staysBefore(current, receipt) ? undefined : receipt,
      );
    },

    async writePurge(realm, receipt) {
      const key = { tenant: receipt.tenant, id: `${PURGES}${receipt.begunAt}` };
      await changeCell(purges(realm), key, () => receipt);
    },

    purges: (realm, tenant) => query(purges(realm), tenant, PURGES),

    readMeasurement: async (realm, tenant) =>
      (await readCell(measurements(realm), { tenant, id: 'size' })).record,

    async writeMeasurement(realm, tenant, measurement) {
      await changeCell(measurements(realm), { tenant, id: 'size' }, () => measurement);
    },

    ...dynamoDbSlots(tables),
    ...receiptChain(tables),
    ...dynamoDbSettings(tables),
  };
}

const plain = (receipt: Receipt): Item => ({ receipt });

/** `openIn` and `dueAt` make the sparse index: what is final is not in it. */
function migrationToItem(migration: Migration): Item {
  const { id, ...record } = migration;
  const due = {
    openIn: migration.ledger,
    dueAt: migration.facts?.endTime ?? migration.scheduledAt,
  };
  return { ...record, migration: id, ...(isFinal(migration) ? {} : due) };
}

/** What a `status#…` item says. */
export function migrationFromItem({
  migration,
  revision: _r,
  openIn: _o,
  dueAt: _d,
  id: _i,
  ...record
}: Item): Migration {
  if (typeof migration !== 'string') throw new Error('a ledger record names no migration');
  // Written by migrationToItem alone, and by nobody else.
  return { ...(record as Omit<Migration, 'id'>), id: migration };
}

function entryFromItem({ tenant: _t, id: _i, revision: _r, ...entry }: Item): HistoryEntry {
  // Written by recordHistory alone, and by nobody else.
  return entry as unknown as HistoryEntry;
}

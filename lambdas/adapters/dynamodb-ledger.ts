/** The ledger in DynamoDB: per tenant, one small item each for a migration, a history entry, a range and a receipt. */
import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { isFinal, type Migration } from '../domain/migration.ts';
import type { Realm } from '../domain/realm.ts';
import type { Receipt } from '../domain/receipt.ts';
import { DEFAULT_SETTINGS, type Settings } from '../domain/settings.ts';
import { isFree, type Slots } from '../domain/slots.ts';
import type { Clock, MigrationLedger } from '../ports.ts';
import {
  type Cells,
  changeCell,
  type Item,
  putCell,
  readCell,
  translated,
} from './compare-and-set.ts';
import { rangeFromItem, rangeToItem } from './range-items.ts';

export interface LedgerTables {
  readonly clientFor: (realm: Realm) => DynamoDBDocumentClient;
  readonly tableOf: (realm: Realm) => string;
  readonly clock: Clock;
}

/** Partition of what belongs to the realm, not to a tenant: no client key begins with `#`. */
const OF_REALM = '#realm';
const statusId = (id: string) => `status#${id}`;
const rangePrefix = (id: string) => `range#${id}#`;
const receiptId = (id: string) => `receipt#${id}`;

export function dynamoDbLedger({ clientFor, tableOf, clock }: LedgerTables): MigrationLedger {
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
  const slots = (realm: Realm) => cells<Slots>(realm, slotsToItem, slotsFromItem);

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
  async function recordHistory(
    { ledger, tenant, id, status, updatedAt, error }: Migration,
    actor: string,
  ) {
    const entry = { status, actor, at: updatedAt, ...(error ? { error } : {}) };
    await putCell(
      cells<Item>(
        ledger,
        (item) => item,
        (item) => item,
      ),
      { tenant, id: `history#${id}#${updatedAt}#${status}` },
      entry,
      0,
    );
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
      if (changed && record && record.status !== before?.status) await recordHistory(record, actor);
      return change;
    },

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
      const isWritten = await putCell(ranges(realm), key, next, next.revision, next.revision + 1);
      return isWritten ? { ...next, revision: next.revision + 1 } : undefined;
    },

    readReceipt: async (realm, tenant, id) =>
      (await readCell(receipts(realm), { tenant, id: receiptId(id) })).record,

    async writeReceipt(realm, receipt) {
      const key = { tenant: receipt.tenant, id: receiptId(receipt.id) };
      await changeCell(receipts(realm), key, (current) =>
        current && RANK[current.state] > RANK[receipt.state] ? undefined : receipt,
      );
    },

    async takeSlot({ ledger, tenant, id }, window, cap) {
      const name = slotName(tenant, id);
      const { record } = await changeCell(
        slots(ledger),
        { tenant: OF_REALM, id: 'slots' },
        (held = {}) =>
          held[name] === undefined && isFree(held, { tenant, ...window }, cap)
            ? {
                ...held,
                [name]: { tenant, id, takenAt: new Date(clock.now()).toISOString(), ...window },
              }
            : undefined,
      );
      return record?.[name] !== undefined;
    },

    async freeSlot({ ledger, tenant, id }) {
      await changeCell(slots(ledger), { tenant: OF_REALM, id: 'slots' }, (held) => {
        const { [slotName(tenant, id)]: freed, ...others } = held ?? {};
        return freed === undefined ? undefined : others;
      });
    },

    async slots(realm) {
      const { record = {} } = await readCell(slots(realm), { tenant: OF_REALM, id: 'slots' });
      return Object.values(record);
    },

    async settings(realm, tenant) {
      const settings = cells<Partial<Settings>>(realm, (item) => ({ ...item }), settingsFromItem);
      const [ofRealm, ofTenant] = await Promise.all(
        [OF_REALM, tenant].map((partition) =>
          readCell(settings, { tenant: partition, id: 'settings' }),
        ),
      );
      return { ...DEFAULT_SETTINGS, ...ofRealm?.record, ...ofTenant?.record };
    },
  };
}

/** A receipt is never replaced by one of an earlier state: a delayed writer finds that it has been overtaken. */
const RANK: Record<Receipt['state'], number> = {
  'ready-to-commit': 0,
  committed: 1,
  'rolled-back': 2,
};
const plain = (receipt: Receipt): Item => ({ receipt });
const slotName = (tenant: string, id: string) => `${tenant}#${id}`;

/** `openIn` and `dueAt` make the sparse index: what is final is not in it. */
function migrationToItem(migration: Migration): Item {
  const { id, ...record } = migration;
  const due = {
    openIn: migration.ledger,
    dueAt: migration.facts?.endTime ?? migration.scheduledAt,
  };
  return { ...record, migration: id, ...(isFinal(migration) ? {} : due) };
}

function migrationFromItem({
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

const slotsToItem = (slots: Slots): Item => ({ windows: slots });
const slotsFromItem = (item: Item): Slots => (item['windows'] ?? {}) as Slots;

function settingsFromItem({ noNewMoves }: Item): Partial<Settings> {
  return typeof noNewMoves === 'boolean' ? { noNewMoves } : {};
}

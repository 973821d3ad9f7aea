/** Reads whole ledgers for operators: every record of a realm, or of a tenant in it. */
import {
  type DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  paginateScan,
} from '@aws-sdk/lib-dynamodb';
import { migrationFromItem } from '../../lambdas/adapters/records/dynamodb-migrations.ts';
import { OF_REALM } from '../../lambdas/adapters/records/ledger-table.ts';
import type { Migration } from '../../lambdas/domain/moving/migration.ts';
import type { Receipt } from '../../lambdas/domain/moving/receipt.ts';
import { type Settings, storedSettings } from '../../lambdas/domain/operating/settings.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';

/** Reads by scan, or by key where a tenant is named. */
export interface LedgerReader {
  /** Every migration whose ledger is in this realm: a scan, unless a tenant is named. */
  migrations(realm: Realm, tenant?: string): AsyncIterable<Migration>;
  receipts(realm: Realm, tenant?: string): AsyncIterable<Receipt>;
  /**
   * The settings of the realm itself, or of the tenant itself: the tenant's do not include the
   * realm's.
   */
  settings(realm: Realm, tenant?: string): Promise<StoredSettings>;
  /** The settings of every tenant that has its own in this realm: a scan. */
  tenantSettings(realm: Realm): AsyncIterable<StoredSettings & { readonly tenant: string }>;
}

/** `at` and `actor` belong to the last change; absent where nothing was ever set. */
export interface StoredSettings {
  readonly settings: Partial<Settings>;
  /**
   * Names of fields that an operator has written by hand and that are no settings, or not of their
   * form.
   */
  readonly ignored: readonly string[];
  readonly at?: string;
  readonly actor?: string;
}

export interface LedgerTables {
  readonly clientFor: (realm: Realm) => DynamoDBDocumentClient;
  readonly tableOf: (realm: Realm) => string;
}

const SETTINGS = 'settings';

function storedIn(item: Item | undefined): StoredSettings {
  const { tenant: _t, id: _i, revision: _r, at, actor, ...stored } = item ?? {};
  return {
    ...storedSettings(stored),
    ...(typeof at === 'string' && { at }),
    ...(typeof actor === 'string' && { actor }),
  };
}

type Item = Readonly<Record<string, unknown>>;

export function ledgerReader({ clientFor, tableOf }: LedgerTables): LedgerReader {
  async function* items(realm: Realm, prefix: string, tenant?: string): AsyncGenerator<Item> {
    const common = {
      TableName: tableOf(realm),
      ConsistentRead: true,
      ExpressionAttributeNames: { '#id': 'id', ...(tenant !== undefined && { '#t': 'tenant' }) },
      ExpressionAttributeValues: {
        ':prefix': prefix,
        ...(tenant !== undefined && { ':tenant': tenant }),
      },
    };
    const begins = 'begins_with(#id, :prefix)';
    const client = clientFor(realm);
    const pages =
      tenant === undefined
        ? paginateScan({ client }, { ...common, FilterExpression: begins })
        : paginateQuery(
            { client },
            { ...common, KeyConditionExpression: `#t = :tenant AND ${begins}` },
          );
    for await (const { Items: found = [] } of pages) yield* found;
  }

  return {
    async *migrations(realm, tenant) {
      for await (const item of items(realm, 'status#', tenant)) yield migrationFromItem(item);
    },
    async settings(realm, tenant = OF_REALM) {
      const { Item: item } = await clientFor(realm).send(
        new GetCommand({
          TableName: tableOf(realm),
          Key: { tenant, id: SETTINGS },
          ConsistentRead: true,
        }),
      );
      return storedIn(item);
    },
    async *tenantSettings(realm) {
      for await (const item of items(realm, SETTINGS)) {
        const { tenant, id } = item;
        if (id === SETTINGS && tenant !== OF_REALM)
          yield { tenant: String(tenant), ...storedIn(item) };
      }
    },
    async *receipts(realm, tenant) {
      // Only the ledger writes these items.
      for await (const item of items(realm, 'receipt#', tenant)) yield item['receipt'] as Receipt;
    },
  };
}

/** The ledger as people look at it: everything that a realm, or a tenant in it, has on record. */
import { type DynamoDBDocumentClient, paginateQuery, paginateScan } from '@aws-sdk/lib-dynamodb';
import { migrationFromItem } from '../../lambdas/adapters/records/dynamodb-ledger.ts';
import type { Migration } from '../../lambdas/domain/moving/migration.ts';
import type { Receipt } from '../../lambdas/domain/moving/receipt.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';

/** Read by scanning, or a tenant's by key. */
export interface LedgerReader {
  /** Every migration whose ledger is in this realm: a scan, unless a tenant is named. */
  migrations(realm: Realm, tenant?: string): AsyncIterable<Migration>;
  receipts(realm: Realm, tenant?: string): AsyncIterable<Receipt>;
}

export interface LedgerTables {
  readonly clientFor: (realm: Realm) => DynamoDBDocumentClient;
  readonly tableOf: (realm: Realm) => string;
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
    async *receipts(realm, tenant) {
      // Written by the ledger alone, and by nobody else.
      for await (const item of items(realm, 'receipt#', tenant)) yield item['receipt'] as Receipt;
    },
  };
}

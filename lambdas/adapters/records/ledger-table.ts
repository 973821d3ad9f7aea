/**
 * The table `migrations` of a realm: how the stores of the ledger find their items, each by tenant
 * and id.
 */
import {
  type DynamoDBDocumentClient,
  paginateQuery,
  type QueryCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { Realm } from '../../domain/realm.ts';
import type { Clock, Log } from '../../ports.ts';
import { type Cells, type Item, translated } from './compare-and-set.ts';

export interface LedgerTables {
  readonly clientFor: (realm: Realm) => DynamoDBDocumentClient;
  readonly tableOf: (realm: Realm) => string;
  readonly clock: Clock;
  /** Gets a line about settings that cannot be read. */
  readonly log?: Pick<Log, 'error'>;
}

/** Partition for items of the realm itself: no client key begins with `#`. */
export const OF_REALM = '#realm';

/** One kind of item in each realm's table, and how a record becomes an item and back. */
export const cellsOf =
  <T>(
    { clientFor, tableOf }: Pick<LedgerTables, 'clientFor' | 'tableOf'>,
    toItem: (record: T) => Item,
    fromItem: (item: Item) => T,
  ) =>
  (realm: Realm): Cells<T> => ({
    client: clientFor(realm),
    table: tableOf(realm),
    toItem,
    fromItem,
  });

/**
 * A strongly consistent query for the items of a partition whose ids have this prefix, in the order
 * of their ids.
 */
export const byPrefix = (table: string, partition: string, prefix: string): QueryCommandInput => ({
  TableName: table,
  ConsistentRead: true,
  KeyConditionExpression: '#tenant = :tenant AND begins_with(#id, :prefix)',
  ExpressionAttributeNames: { '#tenant': 'tenant', '#id': 'id' },
  ExpressionAttributeValues: { ':tenant': partition, ':prefix': prefix },
});

/** All records that the query finds, over as many pages as it takes. */
export async function queryCells<T>(
  { client, table, fromItem }: Pick<Cells<T>, 'client' | 'table' | 'fromItem'>,
  query: QueryCommandInput,
): Promise<readonly T[]> {
  return translated(table, async () => {
    const found: T[] = [];
    for await (const { Items = [] } of paginateQuery({ client }, query))
      found.push(...Items.map(fromItem));
    return found;
  });
}

/**
 * Kept lifecycle events in DynamoDB: one item per tenant and realm, beside the tenant's record and
 * encrypted by the same key. It has the owner of an alias, of nobody, so that whatever reads the
 * whole table takes it for one.
 */
import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import type { Realm } from '../../domain/realm.ts';
import type { KeptEvents } from '../../domain/tenants/kept-events.ts';
import type { Change, Decide } from '../../ports.ts';
import { changeCell, type Item, readCell, translated } from './compare-and-set.ts';

export interface KeptEventTables {
  readonly clientFor: (realm: Realm) => DynamoDBDocumentClient;
  readonly tableOf: (realm: Realm) => string;
}

export interface KeptEventStore {
  /** Strongly consistent. */
  read(realm: Realm, tenant: string): Promise<KeptEvents | undefined>;
  /** Compare-and-set, as of all records. */
  change(realm: Realm, tenant: string, decide: Decide<KeptEvents>): Promise<Change<KeptEvents>>;
  /** Tenants of which something is kept. May lag behind by a moment. */
  waiting(realm: Realm): Promise<readonly string[]>;
}

/** `#` begins no client key. */
const PREFIX = '#kept#';
const keyOf = (tenant: string) => ({ tenant: `${PREFIX}${tenant}` });
/** A partition of the index of retired tenants. */
const KEPT = 'kept';

export function dynamoDbKeptEvents({ clientFor, tableOf }: KeptEventTables): KeptEventStore {
  const cells = (realm: Realm) => ({
    client: clientFor(realm),
    table: tableOf(realm),
    toItem,
    fromItem,
  });
  return {
    read: async (realm, tenant) => (await readCell(cells(realm), keyOf(tenant))).record,
    change: (realm, tenant, decide) => changeCell(cells(realm), keyOf(tenant), decide),
    waiting: (realm) =>
      translated(tableOf(realm), async () => {
        const found: string[] = [];
        const pages = paginateQuery(
          { client: clientFor(realm) },
          {
            TableName: tableOf(realm),
            IndexName: 'retired',
            KeyConditionExpression: 'purgeOf = :kept',
            ExpressionAttributeValues: { ':kept': KEPT },
          },
        );
        for await (const { Items = [] } of pages)
          found.push(...Items.map(({ tenant }) => String(tenant).slice(PREFIX.length)));
        return found;
      }),
  };
}

/** What is empty is in no index, and vanishes by its expiry. */
const toItem = ({ events, tenant: _, ...kept }: KeptEvents): Item => ({
  ...kept,
  holders: [],
  events: JSON.stringify(events),
  ...(events.length > 0 && { purgeOf: KEPT, purgeDueAt: kept.expiresAt }),
});

function fromItem(item: Item): KeptEvents {
  const { tenant, events, delivery, expiresAt } = item;
  if (typeof events !== 'string' || typeof expiresAt !== 'number')
    throw new Error('kept events have no events, or no expiry');
  // Only toItem writes these items.
  return {
    tenant: String(tenant).slice(PREFIX.length),
    events: JSON.parse(events),
    expiresAt,
    ...(delivery !== undefined && { delivery: delivery as NonNullable<KeptEvents['delivery']> }),
  };
}

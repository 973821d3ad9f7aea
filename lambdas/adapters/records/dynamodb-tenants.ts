/**
 * Tenants in DynamoDB: one item per tenant and realm, and beside them the aliases by which they are
 * found.
 */
import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import type { Realm } from '../../domain/realm.ts';
import { isRenamed, type TenantName } from '../../domain/tenants/identity.ts';
import type { TenantRecord } from '../../domain/tenants/tenant.ts';
import type { Change, Clock, Decide, TenantStore } from '../../ports.ts';
import { tenantsCalled } from './alias-item.ts';
import { type Cells, changeCell, readCell, translated } from './compare-and-set.ts';
import { tenantAliases } from './tenant-aliases.ts';
import { fromTenantItem, RETIRED, toTenantItem } from './tenant-item.ts';

export interface TenantTables {
  readonly clientFor: (realm: Realm) => DynamoDBDocumentClient;
  readonly tableOf: (realm: Realm) => string;
  readonly clock: Clock;
}

export function dynamoDbTenants({ clientFor, tableOf, clock }: TenantTables): TenantStore {
  const cells = (realm: Realm): Cells<TenantRecord> => ({
    client: clientFor(realm),
    table: tableOf(realm),
    toItem: toTenantItem,
    fromItem: fromTenantItem,
  });
  const aliasesIn = (realm: Realm) => tenantAliases(clientFor(realm), tableOf(realm), clock);

  const read = async (realm: Realm, tenant: string) =>
    (await readCell(cells(realm), { tenant })).record;

  /**
   * Writes the aliases before the record and makes them lasting after it; removes them before the
   * record.
   */
  async function change(
    realm: Realm,
    tenant: string,
    decide: Decide<TenantRecord>,
  ): Promise<Change<TenantRecord>> {
    const aliases = aliasesIn(realm);
    let replaced: TenantRecord | undefined;
    let isWithdrawn = false;
    const result = await changeCell(cells(realm), { tenant }, decide, async (next, current) => {
      replaced = current;
      if (next === 'remove') {
        isWithdrawn = true;
        return aliases.withdraw(current);
      }
      return aliases.announce(next, current);
    });
    const { changed, record } = result;
    if (record === undefined) return result;
    // The second case: the record that was to be removed has stayed, because another writer changed
    // it.
    if ((changed && isRenamed(record, replaced)) || isWithdrawn) await aliases.confirm(record);
    return result;
  }

  const find = (realm: Realm, name: TenantName): Promise<readonly TenantRecord[]> =>
    tenantsCalled(name, aliasesIn(realm).holdersOf, (tenant) => read(realm, tenant));

  /** The sparse index has only tenants that were retired and are not kept. */
  async function due(realm: Realm, now: number): Promise<readonly string[]> {
    const table = tableOf(realm);
    return translated(table, async () => {
      const found: string[] = [];
      const pages = paginateQuery(
        { client: clientFor(realm) },
        {
          TableName: table,
          IndexName: 'retired',
          KeyConditionExpression: 'purgeOf = :retired AND purgeDueAt <= :now',
          ExpressionAttributeValues: { ':retired': RETIRED, ':now': Math.floor(now / 1000) },
        },
      );
      for await (const { Items = [] } of pages)
        found.push(...Items.map(({ tenant }) => String(tenant)));
      return found;
    });
  }

  return { read, change, find, due };
}

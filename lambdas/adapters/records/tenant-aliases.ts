/**
 * Aliases: items beside the tenants' records, from a name to the ids of the tenants that may have
 * it. They are hints, and the record decides. An alias is written before a record can have its
 * name. Until then it expires within a day, so that a crash in between leaves nothing for ever.
 */

import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { defined } from '../../domain/defined.ts';
import { type TenantName, tenantNamesOf } from '../../domain/tenants/identity.ts';
import type { TenantRecord } from '../../domain/tenants/tenant.ts';
import { DAY_SECONDS } from '../../domain/time.ts';
import type { Clock } from '../../ports.ts';
import {
  aliasKeyOf,
  fromAliasItem,
  type Holder,
  holding,
  isOver,
  toAliasItem,
} from './alias-item.ts';
import { type Cells, changeCell, readCell } from './compare-and-set.ts';

/** An alias whose writer crashed before the record's write is rewritten by a retry, or expires. */
const PROVISIONAL_SECONDS = DAY_SECONDS;

export function tenantAliases(client: DynamoDBDocumentClient, table: string, clock: Clock) {
  const cells: Cells<readonly Holder[]> = {
    client,
    table,
    toItem: toAliasItem,
    fromItem: fromAliasItem,
  };
  const now = () => Math.floor(clock.now() / 1000);

  /**
   * Lets a tenant be found by a name until the holder's expiry; writes only where something
   * changes.
   */
  async function hold(name: TenantName, holder: Holder): Promise<void> {
    await changeCell(cells, { tenant: aliasKeyOf(name) }, (current = []) => {
      const held = current.find(({ tenant }) => tenant === holder.tenant);
      if (held !== undefined && held.expiresAt === holder.expiresAt) return undefined;
      return [...othersIn(current, holder.tenant), holder];
    });
  }

  async function release(name: TenantName, tenant: string): Promise<void> {
    await changeCell(cells, { tenant: aliasKeyOf(name) }, (current = []) => {
      if (!current.some((holder) => holder.tenant === tenant)) return undefined;
      const others = othersIn(current, tenant);
      return others.length === 0 ? 'remove' : others;
    });
  }

  /** Holders that have expired do not count, whether or not DynamoDB has removed the item. */
  const othersIn = (holders: readonly Holder[], tenant: string) =>
    holders.filter((holder) => holder.tenant !== tenant && !isOver(holder, now()));

  return {
    /** The tenants that may have the name. */
    async holdersOf(name: TenantName): Promise<readonly string[]> {
      const { record = [] } = await readCell(cells, { tenant: aliasKeyOf(name) });
      return holding(record, now());
    },
    /** Before `next` is written over `current`: writes every name, the new ones with an expiry. */
    async announce(next: TenantRecord, current: TenantRecord | undefined): Promise<void> {
      const trial = now() + PROVISIONAL_SECONDS;
      const known = current === undefined ? [] : tenantNamesOf(current).map(aliasKeyOf);
      const wanted = tenantNamesOf(next);
      const kept = wanted.map(aliasKeyOf);
      await Promise.all([
        ...wanted.map((name) =>
          known.includes(aliasKeyOf(name))
            ? hold(name, holderOf(next))
            : hold(name, { tenant: next.tenant, expiresAt: trial }),
        ),
        // A name that the record loses gets an expiry too, because the write may fail.
        ...(current === undefined ? [] : tenantNamesOf(current))
          .filter((name) => !kept.includes(aliasKeyOf(name)))
          .map((name) => hold(name, { tenant: next.tenant, expiresAt: trial })),
      ]);
    },
    /** After `record` was written: its names stay for as long as it does. */
    async confirm(record: TenantRecord): Promise<void> {
      await Promise.all(tenantNamesOf(record).map((name) => hold(name, holderOf(record))));
    },
    /**
     * Before a record is removed. After a crash in between, the removal is repeated, or the
     * record's next write announces its names again.
     */
    async withdraw(record: TenantRecord | undefined): Promise<void> {
      const names = record === undefined ? [] : tenantNamesOf(record);
      await Promise.all(names.map((name) => release(name, record?.tenant ?? '')));
    },
  };
}

/** The names of a stub expire with it. */
const holderOf = ({ tenant, expiresAt }: TenantRecord): Holder => ({
  tenant,
  ...defined({ expiresAt }),
});

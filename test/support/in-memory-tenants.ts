/** The tenants of all realms in memory. */

import type { Realm } from '../../lambdas/domain/realm.ts';
import { isCalled } from '../../lambdas/domain/tenants/identity.ts';
import type { TenantRecord } from '../../lambdas/domain/tenants/tenant.ts';
import type { TenantStore } from '../../lambdas/ports.ts';
import { type Hooks, inMemoryCells, keyOf } from './in-memory-cells.ts';

/** Further functions for tests; none of them takes a step. */
export interface InMemoryTenants extends TenantStore {
  peek(realm: Realm, tenant: string): TenantRecord | undefined;
  /** The records of one realm, in the order of the tenants' ids. */
  peekAll(realm: Realm): readonly TenantRecord[];
  set(realm: Realm, record: TenantRecord): void;
  /** Removes stubs that have expired by then. Epoch milliseconds. */
  sweep(now: number): void;
}

export function inMemoryTenants(hooks: Hooks = {}): InMemoryTenants {
  const cells = inMemoryCells<TenantRecord>(hooks);
  const site = (name: string, realm: Realm, tenant: string) => ({
    port: 'tenants',
    name,
    realm,
    detail: tenant,
  });
  return {
    read: async (realm, tenant) =>
      (await cells.read(site('read', realm, tenant), keyOf(realm, tenant))).record,
    change: (realm, tenant, decide) =>
      cells.change(site('change', realm, tenant), keyOf(realm, tenant), decide),
    find: async (realm, name) =>
      (await cells.list(site('find', realm, `${name.kind} ${name.value}`), keyOf(realm))).filter(
        (record) => isCalled(record, name),
      ),
    due: async (realm, now) =>
      (await cells.list(site('due', realm, ''), keyOf(realm)))
        .filter(
          ({ state, keep, purgeDueAt = Infinity }) =>
            ['retired', 'opening', 'purging'].includes(state) && !keep && purgeDueAt * 1000 <= now,
        )
        .map(({ tenant }) => tenant),

    peek: (realm, tenant) => cells.peek(keyOf(realm, tenant)),
    peekAll: (realm) => cells.peekAll(keyOf(realm)),
    set: (realm, record) => cells.set(keyOf(realm, record.tenant), record),
    sweep: (now) =>
      cells.sweep(({ expiresAt }) => expiresAt !== undefined && expiresAt * 1000 <= now),
  };
}

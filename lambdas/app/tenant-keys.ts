/**
 * Whether a tenant's keys are its own, by what the realms know of it and of other tenants. Asked
 * when it arrives, is scheduled and is started, behind the fence, and before a purge.
 */
import {
  type Lookup,
  misplacement,
  rivalLookups,
  sharedKeyIn,
  unknownIn,
} from '../domain/datasets/key-placement.ts';
import { type KeyValues, keyValuesOf } from '../domain/datasets/key-values.ts';
import { overBudget } from '../domain/moving/plan-budget.ts';
import type { Realm } from '../domain/realm.ts';
import type { TenantRecord } from '../domain/tenants/tenant.ts';
import type { AppContext } from './app-context.ts';

/** Another tenant's record, and where it shares a key. */
export interface Rival {
  readonly record: TenantRecord;
  readonly realm: Realm;
  /** For operators only, because it names the other tenant. */
  readonly says: string;
}

export function tenantKeys({ ports: { tenants, log }, settings: { parts } }: AppContext) {
  /**
   * The first other tenant that has a key of this one, among all with a record in these realms,
   * whatever its state.
   */
  async function rivalIn(realms: readonly Realm[], values: KeyValues): Promise<Rival | undefined> {
    for (const part of parts) {
      const lookups = rivalLookups(part, values);
      for (const realm of realms) {
        const found = (await Promise.all(lookups.map((lookup) => foundBy(realm, lookup)))).flat();
        for (const record of found) {
          if (record.tenant === values.tenant) continue;
          const key = sharedKeyIn(part, values, keyValuesOf(record));
          if (key === undefined) continue;
          const says = `tenant ${record.tenant} in realm ${realm} has the same key ${key} in part "${part.name}"`;
          return { record, realm, says };
        }
      }
    }
    return undefined;
  }

  async function foundBy(realm: Realm, lookup: Lookup): Promise<readonly TenantRecord[]> {
    if (lookup.kind !== 'tenant') return tenants.find(realm, lookup);
    const record = await tenants.read(realm, lookup.value);
    return record === undefined ? [] : [record];
  }

  /**
   * Why nothing of the tenant can be moved or purged, as a sentence. It never names another tenant:
   * the log says which one shares a key. `undefined` where its keys are known, and are its own in
   * all of these realms.
   */
  async function obstacle(
    values: KeyValues,
    realms: readonly Realm[],
  ): Promise<string | undefined> {
    const reason =
      unknownIn(parts, values) ?? misplacement(parts, values) ?? overBudget(parts, values);
    if (reason !== undefined) return reason;
    const rival = await rivalIn(realms, values);
    if (rival === undefined) return undefined;
    log.error(`alarm: two tenants share a key: ${rival.says}`, { clientKey: values.tenant });
    return 'another tenant has one of its keys';
  }

  return { rivalIn, obstacle };
}

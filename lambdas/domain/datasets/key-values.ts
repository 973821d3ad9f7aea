/** The values of a tenant that replace the placeholders of a key's template. */
import { cloudIdOf } from '../tenants/identity.ts';
import type { Identity, TenantRecord } from '../tenants/tenant.ts';

/** Values that are not known of the tenant are absent. */
export interface KeyValues {
  /** Our own id of the tenant: the client key of a tenant that first came by Connect. */
  readonly tenant: string;
  readonly cloudId?: string;
  /**
   * Every Forge installation that the tenant has had, in a fixed order: one that becomes known
   * later is added at the end.
   */
  readonly installations?: readonly string[];
  /** The app's own id of the tenant. */
  readonly tenantKey?: string;
}

/** A tenant with every value once: shows how many keys a tenant has by its declaration. */
export const ANYBODY: KeyValues = {
  tenant: 'tenant',
  cloudId: 'cloud-id',
  installations: ['installation'],
  tenantKey: '1',
};

type Named = Identity & Pick<TenantRecord, 'tenant'> & Partial<Pick<TenantRecord, 'installation'>>;

/** From a tenant's record, or from the attributes that operators see. */
export function keyValuesOf(record: Named): KeyValues {
  const { tenant, tenantKey, formerInstallations = [], installations = [] } = record;
  const cloudId = cloudIdOf(record);
  const ids = [...new Set([...formerInstallations, ...installations.map(({ id }) => id)])];
  return {
    tenant,
    ...(cloudId !== undefined && { cloudId }),
    ...(ids.length > 0 && { installations: ids }),
    ...(tenantKey !== undefined && { tenantKey }),
  };
}

/**
 * Adds to `known` what only `later` has. Installations are added at the end, so that every range
 * keeps its id. A value that has changed, which none should, stays as it was: `changedIn` names it.
 */
export function extended(known: KeyValues, later: KeyValues): KeyValues {
  const { installations: before = [] } = known;
  const installations = [...new Set([...before, ...(later.installations ?? [])])];
  return { ...later, ...known, ...(installations.length > 0 && { installations }) };
}

/** The values that differ, in words; `undefined` where they agree. */
export function changedIn(known: KeyValues, later: KeyValues): string | undefined {
  const isOther = (name: 'cloudId' | 'tenantKey') =>
    known[name] !== undefined && later[name] !== undefined && known[name] !== later[name];
  if (isOther('cloudId')) return 'cloud id';
  return isOther('tenantKey') ? 'key of the app’s own' : undefined;
}

/** True where neither has a value that the other does not have. */
export const isKeyedAlike = (one: KeyValues, other: KeyValues): boolean =>
  JSON.stringify(extended(one, other)) === JSON.stringify(one) &&
  JSON.stringify(extended(other, one)) === JSON.stringify(other);

/** What of a tenant can stand in its partition keys: the values that the placeholders of a template are replaced by. */
import { cloudIdOf } from '../tenants/identity.ts';
import type { Identity, TenantRecord } from '../tenants/tenant.ts';

/** Absent is what is not known of the tenant. */
export interface KeyValues {
  /** Our own id of the tenant: its client key, of a tenant that first came by Connect. */
  readonly tenant: string;
  readonly cloudId?: string;
  /** Every Forge installation that the tenant has had. The order is fixed: what becomes known later stands at the end. */
  readonly installations?: readonly string[];
  /** The app's own id of the tenant. */
  readonly tenantKey?: string;
}

/** A tenant of whom everything is known, once: how many keys a tenant has by a declaration alone. */
export const ANYBODY: KeyValues = {
  tenant: 'tenant',
  cloudId: 'cloud-id',
  installations: ['installation'],
  tenantKey: '1',
};

type Named = Identity & Pick<TenantRecord, 'tenant'> & Partial<Pick<TenantRecord, 'installation'>>;

/** By a tenant's record, or by as much of it as operators see. */
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
 * `known` with what `later` knows besides. Installations are added at the end, so that every range keeps its id. What has
 * changed, as nothing does that is known of a tenant, stays as it was: `changedIn` names it.
 */
export function extended(known: KeyValues, later: KeyValues): KeyValues {
  const { installations: before = [] } = known;
  const installations = [...new Set([...before, ...(later.installations ?? [])])];
  return { ...later, ...known, ...(installations.length > 0 && { installations }) };
}

/** What the two say differently, in words; `undefined` where they agree. */
export function changedIn(known: KeyValues, later: KeyValues): string | undefined {
  const isOther = (name: 'cloudId' | 'tenantKey') =>
    known[name] !== undefined && later[name] !== undefined && known[name] !== later[name];
  if (isOther('cloudId')) return 'cloud id';
  return isOther('tenantKey') ? 'key of the app’s own' : undefined;
}

/** Nothing is known of the one that the other does not know. */
export const isKeyedAlike = (one: KeyValues, other: KeyValues): boolean =>
  JSON.stringify(extended(one, other)) === JSON.stringify(one) &&
  JSON.stringify(extended(other, one)) === JSON.stringify(other);

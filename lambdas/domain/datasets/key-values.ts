/** The values of a tenant that replace the placeholders of a key's template. */
import { defined } from '../defined.ts';
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
    ...defined({ cloudId }),
    ...(ids.length > 0 && { installations: ids }),
    ...defined({ tenantKey }),
  };
}

/**
 * Adds to `known` what only `later` has. Installations are added at the end, so that every range
 * keeps its id. A value that is known stays as it is.
 */
export function extended(known: KeyValues, later: KeyValues): KeyValues {
  const installations = [
    ...new Set([...(known.installations ?? []), ...(later.installations ?? [])]),
  ];
  return {
    tenant: known.tenant,
    ...defined({ cloudId: known.cloudId ?? later.cloudId }),
    ...(installations.length > 0 && { installations }),
    ...defined({ tenantKey: known.tenantKey ?? later.tenantKey }),
  };
}

/** True where neither has a value that the other does not have. */
export const isKeyedAlike = (one: KeyValues, other: KeyValues): boolean =>
  isWithin(one, other) && isWithin(other, one);

const isWithin = (one: KeyValues, other: KeyValues): boolean =>
  one.tenant === other.tenant &&
  (one.cloudId === undefined || one.cloudId === other.cloudId) &&
  (one.tenantKey === undefined || one.tenantKey === other.tenantKey) &&
  (one.installations ?? []).every((id) => other.installations?.includes(id));

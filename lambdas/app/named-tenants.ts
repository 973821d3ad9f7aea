/**
 * Finds the tenant that a name means, in the given realms. It reads and never writes. Hooks,
 * handlers of the app and `packages/guard` all use it, so that one request means the same tenant to
 * all of them.
 */
import type { Realm } from '../domain/realm.ts';
import { onlyOneOf, type TenantName } from '../domain/tenants/identity.ts';
import type { TenantRecord } from '../domain/tenants/tenant.ts';
import type { TenantStore } from '../ports.ts';

/** Forge's names of a site; the cloud id in lower case. */
export interface Site {
  readonly cloudId?: string;
  readonly product?: string;
}

export function namedTenants(tenants: Pick<TenantStore, 'read' | 'find'>, here: Realm) {
  /**
   * For a Connect token: the client key is our id, or a name of a tenant that first came by Forge.
   */
  async function byClientKey(clientKey: string): Promise<TenantRecord | undefined> {
    const own = await tenants.read(here, clientKey);
    return own ?? (await byNames([{ kind: 'client', value: clientKey }]));
  }

  /** The tenant of the first name that means exactly one tenant in these realms. */
  async function byNames(
    names: readonly TenantName[],
    product?: string,
    realms: readonly Realm[] = [here],
    isMeant: (record: TenantRecord) => boolean = () => true,
  ): Promise<TenantRecord | undefined> {
    for (const name of names) {
      const found = await Promise.all(realms.map((realm) => tenants.find(realm, name)));
      // An installation alone names its product.
      const wanted = name.kind === 'site' ? product : undefined;
      const one = onlyOneOf(distinct(found.flat().filter(isMeant)), wanted);
      if (one !== undefined) return one;
    }
    return undefined;
  }

  /** By a cloud id. Unlike host names, it is never given to another site. */
  const bySite = (site: Site): Promise<TenantRecord | undefined> =>
    byNames(sitesOf(site), site.product);

  /** By an installation; one that was never announced, by its site. */
  const byInstallation = async (id: string, site: Site): Promise<TenantRecord | undefined> =>
    (await byNames([installationOf(id)])) ?? bySite(site);

  return { byClientKey, byNames, bySite, byInstallation };
}

export const installationOf = (id: string): TenantName => ({ kind: 'installation', value: id });

export const sitesOf = ({ cloudId }: Site): readonly TenantName[] =>
  cloudId === undefined ? [] : [{ kind: 'site', value: cloudId }];

/** One record per tenant: where several realms have one, the one that is installed. */
export function distinct(records: readonly TenantRecord[]): readonly TenantRecord[] {
  const byTenant = new Map<string, TenantRecord>();
  for (const record of records) {
    const other = byTenant.get(record.tenant);
    const isBetter = other === undefined || other.state === 'retired' || other.state === 'moved';
    if (isBetter) byTenant.set(record.tenant, record);
  }
  return [...byTenant.values()];
}

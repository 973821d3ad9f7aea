/**
 * Finds the tenant of a token, from Atlassian's names for it, by Connect or by Forge and in any
 * realm.
 */

import { defined } from '../domain/defined.ts';
import type { Realm } from '../domain/realm.ts';
import { Fault, Unauthenticated } from '../domain/refusal.ts';
import type { Caller } from '../domain/requests.ts';
import {
  isDisowned,
  isForgeOnly,
  knows,
  newestInstallation,
  type TenantName,
  tenantOfInstallation,
  withIdentity,
} from '../domain/tenants/identity.ts';
import type { Arrival } from '../domain/tenants/takeover.ts';
import type { Identity, TenantRecord } from '../domain/tenants/tenant.ts';
import type { ForgeClaims } from '../ports.ts';
import { type AppContext, stackRealms } from './app-context.ts';
import { distinct, installationOf, namedTenants, sitesOf } from './named-tenants.ts';

export function identification({ ports, settings }: AppContext) {
  const { tenants, log } = ports;
  const { realm: here, adoptByHost } = settings;
  const everywhere = stackRealms(settings);
  const { byNames, byClientKey, bySite, byInstallation } = namedTenants(tenants, here);
  /** The installations for which this process has raised an alarm. */
  const told = new Set<string>();

  /**
   * The tenant of a verified Forge token. An installation that was never announced (none is when an
   * app is updated from Connect to Forge by itself) is matched by its cloud id, and stored if the
   * hook may write. A host name identifies no tenant.
   */
  async function forgeCaller(claims: ForgeClaims, access: 'look' | 'learn'): Promise<Caller> {
    const { installationId, iat } = claims;
    const known = await byNames([installationOf(installationId)]);
    if (known !== undefined) return { tenant: known.tenant, iat };
    const record = await bySite(claims);
    if (record === undefined) {
      await offered(claims, [here]);
      throw new Unauthenticated(`no tenant here has ${saidIn(claims)}`);
    }
    if (access === 'learn') {
      await tenants.change(here, record.tenant, (current) =>
        current === undefined || knows(current, identityIn(claims))
          ? undefined
          : withIdentity(current, identityIn(claims)),
      );
      log.info('an installation of Forge was matched by its site', {
        clientKey: record.tenant,
        installationId,
      });
    }
    return { tenant: record.tenant, iat };
  }

  /**
   * The tenant that the host name would mean; an alarm asks an operator once. `undefined` where
   * there is none, or the vendor has not switched this on.
   */
  async function offered(
    claims: ForgeClaims,
    realms: readonly Realm[],
  ): Promise<TenantRecord | undefined> {
    const { host, installationId, cloudId } = claims;
    if (!adoptByHost || host === undefined) return undefined;
    const ids = [installationId, ...(cloudId === undefined ? [] : [cloudId])];
    const isMeant = (record: TenantRecord) =>
      record.state === 'active' &&
      record.uninstalledIat === undefined &&
      !ids.some((id) => isDisowned(record, id));
    const record = await byNames([{ kind: 'site', value: host }], claims.product, realms, isMeant);
    if (record === undefined || told.has(installationId)) return record;
    if (told.size >= MOST_TOLD) told.clear();
    told.add(installationId);
    log.error(
      `alarm: an installation is known by its host name alone, which proves nothing: an operator must adopt it for this tenant, or disown it`,
      { clientKey: record.tenant, installationId, cloudId, host },
    );
    return record;
  }

  /**
   * The arrival for an installation that Forge announces: of a known tenant in any realm, or of a
   * new one. An installation that an operator is asked about waits, because a new tenant for it
   * would hide the other tenant's data from its users.
   */
  async function forgeArrival(claims: ForgeClaims): Promise<Arrival> {
    const { installationId, iat, host } = claims;
    const names = [installationOf(installationId), ...sitesOf(claims)];
    const known = await byNames(names, claims.product, everywhere);
    if (known === undefined && (await offered(claims, everywhere)) !== undefined)
      throw new Fault('the installation waits until an operator has adopted or disowned it');
    return {
      tenant: known?.tenant ?? tenantOfInstallation(installationId),
      credentials: { iat },
      installation: host === undefined ? {} : { baseUrl: `https://${host}` },
      identity: identityIn(claims),
    };
  }

  /**
   * The tenant whose uninstallation Forge announces. An older installation of a tenant that was
   * installed again since does not count. An installation that was never announced is matched by
   * its cloud id, where the tenant has no other installation.
   */
  async function forgeDeparture(claims: ForgeClaims): Promise<TenantRecord | undefined> {
    const record = await byInstallation(claims.installationId, claims);
    if (record === undefined) await offered(claims, [here]);
    const newest = record && newestInstallation(record);
    return newest === undefined || newest.id === claims.installationId ? record : undefined;
  }

  /**
   * The arrival for an installation that Connect announces: a tenant that first came by Forge keeps
   * its id.
   */
  async function connectArrival(arrival: Arrival): Promise<Arrival> {
    const { tenant: clientKey, identity } = arrival;
    const known = await connectTenant(clientKey, identity);
    if (known === undefined || known.tenant === clientKey) return withoutOthers(arrival, known);
    const named = { ...arrival, tenant: known.tenant, identity: { ...identity, clientKey } };
    return withoutOthers(named, known);
  }

  /**
   * The tenant with this client key, as its id here or as a name in any realm; otherwise the Forge
   * tenant of the same installation or site.
   */
  async function connectTenant(
    clientKey: string,
    identity: Identity | undefined,
  ): Promise<TenantRecord | undefined> {
    const own = await tenants.read(here, clientKey);
    if (own !== undefined) return own;
    const client = await byNames([{ kind: 'client', value: clientKey }], undefined, everywhere);
    return client ?? (await forgeTwin(identity, everywhere));
  }

  /** Another tenant, in any realm, that has one of these installations. */
  async function holderBeside(
    tenant: string,
    { installations = [] }: Identity,
  ): Promise<TenantRecord | undefined> {
    const found = await Promise.all(
      installations.flatMap(({ id }) =>
        everywhere.map((realm) => tenants.find(realm, installationOf(id))),
      ),
    );
    return found.flat().find((record) => record.tenant !== tenant);
  }

  /**
   * An installation that belongs to another tenant stays with it, because two tenants with one
   * installation could not be told apart. The rest of the arrival is used. Where Connect and Forge
   * announce one installation at once, `joinedTwin` makes one tenant.
   */
  async function withoutOthers(arrival: Arrival, own: TenantRecord | undefined): Promise<Arrival> {
    const { tenant, identity } = arrival;
    const { installations = [], ...rest } = identity ?? {};
    const isOpening = own === undefined || own.state === 'opening' || own.state === 'retired';
    const kept = await Promise.all(
      installations.map(async (installation) => {
        if (own?.installations?.some(({ id }) => id === installation.id)) return true;
        const name = installationOf(installation.id);
        const found = await Promise.all(everywhere.map((realm) => tenants.find(realm, name)));
        const other = found
          .flat()
          .find((record) => record.tenant !== tenant && !(isOpening && isForgeOnly(record)));
        if (other === undefined) return true;
        log.error(
          `alarm: installed names an installation that belongs to another tenant, and stays with it: ${other.tenant}`,
          { clientKey: tenant, installationId: installation.id },
        );
        return false;
      }),
    );
    if (kept.every(Boolean)) return arrival;
    return {
      ...arrival,
      identity: { ...rest, installations: installations.filter((_, at) => kept[at]) },
    };
  }

  /** The tenant of the same installation, or of the same site, whose client key is not known. */
  function forgeTwin(
    identity: Identity | undefined,
    realms: readonly Realm[],
  ): Promise<TenantRecord | undefined> {
    const { installations = [], cloudId, product } = identity ?? {};
    const names: TenantName[] = [
      ...installations.map(({ id }) => installationOf(id)),
      ...(cloudId === undefined ? [] : [{ kind: 'site', value: cloudId } as const]),
    ];
    return byNames(names, product, realms, isForgeOnly);
  }

  /**
   * The other tenants here with the installation; Connect and Forge may announce it at the same
   * instant.
   */
  async function othersOf({ tenant, identity }: Arrival): Promise<readonly TenantRecord[]> {
    const names = (identity?.installations ?? []).map(({ id }) => installationOf(id));
    const found = await Promise.all(names.map((name) => tenants.find(here, name)));
    return distinct(found.flat()).filter((record) => record.tenant !== tenant);
  }

  return {
    byClientKey,
    forgeCaller,
    forgeArrival,
    forgeDeparture,
    connectArrival,
    connectTenant,
    holderBeside,
    othersOf,
  };
}

/** How many alarms this process remembers. */
const MOST_TOLD = 1_000;

function identityIn({ installationId, iat, cloudId, product }: ForgeClaims): Identity {
  return {
    installations: [{ id: installationId, iat }],
    ...defined({ cloudId, product }),
  };
}

/** For the log: the ids that were unknown. */
const saidIn = ({ installationId, cloudId, product, host, workspaceId }: ForgeClaims): string =>
  [
    installationId,
    workspaceId === undefined
      ? `or is the only one of site ${cloudId ?? 'unsaid'} (${host ?? 'no host'})`
      : `of workspace ${workspaceId}`,
    ...(product === undefined ? [] : [`in ${product}`]),
  ].join(', ');

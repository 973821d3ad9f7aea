/** `installed` and `uninstalled`: credentials and facts, in every realm that has a record of the tenant; fences stay as they are. */

import type { Migration, Status } from '../domain/moving/migration.ts';
import type { Realm } from '../domain/realm.ts';
import { Fault, Refusal } from '../domain/refusal.ts';
import {
  retire,
  withArrival,
  withCredentials,
  withCredentialsOf,
  withUninstalled,
} from '../domain/tenants/fence.ts';
import { identityOf, installedIat } from '../domain/tenants/identity.ts';
import {
  type Announcement,
  type Arrival,
  abandonOpening,
  beginOpening,
  elsewhere,
  finishOpening,
  takeOver,
} from '../domain/tenants/takeover.ts';
import type { TenantRecord } from '../domain/tenants/tenant.ts';
import { type AppContext, stackRealms } from './app-context.ts';
import { arrivals } from './arrivals.ts';
import { undo } from './undo.ts';

/** Up to here an uninstallation cancels a move; later the move goes on, and the tenant arrives retired. */
const CANCELLED_BY_UNINSTALL: readonly Status[] = [
  'scheduled',
  'copying',
  'ready-to-commit',
  'failed',
  'rolling-back',
];

const isCancelled = ({ status }: Migration) => CANCELLED_BY_UNINSTALL.includes(status);

export function lifecycleHooks(context: AppContext) {
  const { ports, settings } = context;
  const { tenants, migrations, clock, log } = ports;
  const { realm: here } = settings;
  const [, ...otherRealms] = stackRealms(settings);
  const { sharedKey, joinedTwin } = arrivals(context);
  const undoMigration = undo(context);

  /** `POST /installed`, verified: the newer one wins, an older one is ignored. */
  async function installed(arrival: Arrival): Promise<void> {
    const record = await tenants.read(here, arrival.tenant);
    if (record === undefined) await refuseSharedKeys(arrival.tenant);
    if (record === undefined || record.state === 'retired' || record.state === 'opening') {
      return openHere(arrival);
    }
    // What it left is being deleted: only when nothing is left can it begin anew, and lose nothing.
    if (record.state === 'purging')
      throw new Fault('the data of an earlier installation is being purged');
    if (record.state === 'moved') await lookThere(record);
    const renewed = await renewIn(here, arrival);
    // A move that an uninstallation had cancelled has let it go in the meantime: it has retired, and is asked back.
    if (renewed === undefined || renewed.state === 'retired') return openHere(arrival);
  }

  /** Only a tenant that arrives is refused: one that has a record here goes on being renewed. */
  async function refuseSharedKeys(tenant: string): Promise<void> {
    const reason = await sharedKey(tenant);
    if (reason === undefined) return;
    log.error(`alarm: an installation is refused: ${reason}`, { clientKey: tenant });
    throw new Refusal(409, undefined, `this client key cannot be installed here: ${reason}`);
  }

  /**
   * Where a tenant that has moved is uninstalled, or will be as soon as it is opened there, it opens only when that realm
   * itself is told: nobody may believe that it is installed. Asked before anything is written: the old secret must still
   * verify what Atlassian does about a refusal.
   */
  async function lookThere(record: TenantRecord): Promise<void> {
    const { tenant, movedTo = here } = record;
    log.error(`alarm: installed in realm ${here}, which the tenant has left for ${movedTo}`, {
      clientKey: tenant,
    });
    const there = await tenants.read(movedTo, tenant);
    const isUninstalled = (one: TenantRecord) => one.uninstalledIat !== undefined;
    const willRetire =
      there?.state === 'standby' && (isUninstalled(record) || isUninstalled(there));
    if (there?.state === 'retired' || willRetire)
      throw new Fault(`the tenant is uninstalled in realm ${movedTo}, where it lives`);
  }

  /**
   * The addressed realm first, then the other side of its move; from a stub on to where the tenant lives, however often it
   * has moved since. Whatever record of the tenant is there: the newer credentials are right.
   */
  async function renewIn(
    realm: Realm,
    arrival: Announcement,
    seen: readonly Realm[] = [],
    via?: string,
  ): Promise<TenantRecord | undefined> {
    const { tenant } = arrival;
    const isFirst = seen.length === 0;
    const renew = isFirst ? withCredentials : withCredentialsOf;
    const { record } = await tenants.change(realm, tenant, (current) =>
      isOfEarlierResidency(current, via) || (isFirst && current?.state === 'retired')
        ? undefined
        : withArrival(current, arrival, renew),
    );
    if (record === undefined || (!isFirst && record.expiresAt === undefined)) return record;
    const passedOn = standing(record, arrival);
    for (const other of await realmsOfMove(record)) {
      const known = [...seen, realm];
      const id = record.migration ?? record.arrivedBy;
      if (!known.includes(other)) await renewIn(other, passedOn, known, id);
    }
    return record;
  }

  /** Nobody serves the tenant here: make sure that nobody else does, and then open. Two writers never. */
  async function openHere(arrival: Arrival): Promise<void> {
    const { tenant, credentials } = arrival;
    await refuseInMove(tenant);
    const begun = await tenants.change(here, tenant, (current) => beginOpening(current, arrival));
    const state = begun.record?.state;
    if (state !== 'opening' && state !== 'retired') return installed(arrival);
    if (state === 'retired') return;
    // A newer one is under way; what this one brought may still be what is missing.
    if (begun.record?.openingIat !== credentials.iat) {
      await renewIn(here, arrival);
      return;
    }

    const twin = await joinedTwin(arrival);
    if (twin !== undefined) return installed(twin);
    for (const realm of otherRealms) {
      if (!(await giveWay(realm, arrival))) {
        await tenants.change(here, tenant, (current) => abandonOpening(current, credentials.iat));
        return;
      }
    }
    const opened = await tenants.change(here, tenant, (current) =>
      finishOpening(current, credentials.iat),
    );
    if (opened.record?.state !== 'active')
      throw new Fault('another installation of this tenant is under way');
    log.info(`tenant is active in realm ${here}`, { clientKey: tenant });
    // The stub in the realm that it came from goes on verifying late hooks.
    await renewIn(here, arrival);
  }

  async function refuseInMove(tenant: string): Promise<void> {
    const records = await Promise.all(otherRealms.map((realm) => tenants.read(realm, tenant)));
    const found = records
      .map((record, at) => elsewhere(record, otherRealms[at] ?? here, here, 0))
      .includes('in-move');
    if (found) throw new Fault('the tenant is in a move between other realms');
  }

  /** Makes another realm give way to the opening here; `false` when it is we who must. */
  async function giveWay(
    realm: Realm,
    { tenant, credentials: { iat } }: Arrival,
  ): Promise<boolean> {
    const record = await tenants.read(realm, tenant);
    switch (elsewhere(record, realm, here, iat)) {
      case 'nothing':
        return true;
      case 'opens-first':
        return false;
      case 'opens-later': {
        const theirs = record?.openingIat ?? 0;
        await tenants.change(realm, tenant, (current) => abandonOpening(current, theirs));
        return giveWayAgain(realm, tenant, iat);
      }
      case 'serves': {
        await tenants.change(realm, tenant, (current) => takeOver(current, iat));
        log.error(
          `alarm: installed in realm ${here} while active in ${realm}: the newer installation serves, the older data is kept`,
          { clientKey: tenant },
        );
        return giveWayAgain(realm, tenant, iat);
      }
      case 'in-move':
        return giveUp(tenant, iat);
    }
  }

  async function giveUp(tenant: string, iat: number): Promise<never> {
    await tenants.change(here, tenant, (current) => abandonOpening(current, iat));
    throw new Fault('the tenant is in a move between other realms');
  }

  async function giveWayAgain(realm: Realm, tenant: string, iat: number): Promise<boolean> {
    const record = await tenants.read(realm, tenant);
    const found = elsewhere(record, realm, here, iat);
    if (found === 'in-move') return giveUp(tenant, iat);
    if (found === 'nothing') return true;
    const isNewer = record !== undefined && installedIat(record) >= iat;
    // It has changed in between, and does not go first: the next try looks again.
    if (found === 'opens-later' || (found === 'serves' && !isNewer)) return giveUp(tenant, iat);
    return false;
  }

  /** `POST /uninstalled`, verified. `iat` in epoch seconds. */
  async function uninstalled(tenant: string, iat: number): Promise<void> {
    await uninstallIn(here, tenant, iat, [here]);
  }

  /** The realm that serves the tenant, or will, is where it retires; the others are told, and pass it on. */
  async function uninstallIn(
    realm: Realm,
    tenant: string,
    iat: number,
    seen: readonly Realm[],
  ): Promise<void> {
    const { record } = await tenants.change(realm, tenant, (current) =>
      current?.state === 'active' ? retire(current, iat, clock.now()) : flagged(current, iat),
    );
    if (record === undefined || record.uninstalledIat === undefined) return;
    if (record.state === 'opening') throw new Fault('the tenant is being installed at this moment');
    for (const other of await realmsOfMove(record)) {
      if (!seen.includes(other)) await uninstallIn(other, tenant, iat, [...seen, other]);
    }
    for (const migration of await migrations.list(realm, tenant)) {
      if (isCancelled(migration)) await undoMigration(migration, 'uninstalled', isCancelled);
    }
  }

  /** The realms on the other side of the move that this record is part of. */
  async function realmsOfMove(record: TenantRecord): Promise<readonly Realm[]> {
    const id = record.migration ?? record.arrivedBy;
    if (id === undefined || record.ledger === undefined) return [];
    if (record.expiresAt !== undefined && record.movedTo) return [record.movedTo];
    const migration = await migrations.read({ ledger: record.ledger, tenant: record.tenant, id });
    return migration === undefined ? [] : [migration.source, migration.target];
  }

  return { installed, uninstalled };
}

/** What stands here is what the other realms are to learn, whether or not it came just now. */
function standing(record: TenantRecord, arrival: Announcement): Announcement {
  const { tenant, credentials } = record;
  const { sharedSecret, iat } = arrival.credentials;
  const isOfArrival = credentials.iat === iat && credentials.sharedSecret === sharedSecret;
  return { ...(isOfArrival ? arrival : { tenant }), credentials, identity: identityOf(record) };
}

const isRetired = (record: TenantRecord | undefined): boolean =>
  record?.state === 'retired' || record?.state === 'purging';

/** Retired, and not by way of this migration: whoever lived there then is not concerned. */
const isOfEarlierResidency = (record: TenantRecord | undefined, via: string | undefined): boolean =>
  via !== undefined && isRetired(record) && record?.arrivedBy !== via;

function flagged(record: TenantRecord | undefined, iat: number): TenantRecord | undefined {
  return isRetired(record) ? undefined : withUninstalled(record, iat);
}

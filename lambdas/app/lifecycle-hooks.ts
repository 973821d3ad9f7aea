/**
 * `installed` and `uninstalled`: write credentials and facts in every realm that has a record of
 * the tenant. They change no fence of a move.
 */

import { isKeyedAlike, keyValuesOf } from '../domain/datasets/key-values.ts';
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

/**
 * In these statuses an uninstallation cancels a move. Later the move goes on, and the tenant
 * arrives retired.
 */
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
  const { sharedKey, rivalOf, joinedTwin } = arrivals(context);
  const undoMigration = undo(context);

  /** A verified `POST /installed`: the newer one wins, an older one is ignored. */
  async function installed(arrival: Arrival): Promise<void> {
    const record = await tenants.read(here, arrival.tenant);
    if (record === undefined) await refuseSharedKeys(arrival);
    if (record === undefined || record.state === 'retired' || record.state === 'opening') {
      return openHere(arrival);
    }
    // The tenant's old data is being deleted. Only when nothing is left can it begin anew without
    // losing anything.
    if (record.state === 'purging')
      throw new Fault('the data of an earlier installation is being purged');
    if (record.state === 'moved') await lookThere(record);
    const renewed = await renewIn(here, arrival);
    // The release of a cancelled move has retired the tenant meanwhile: it must be opened again.
    if (renewed === undefined || renewed.state === 'retired') return openHere(arrival);
    if (!isKeyedAlike(keyValuesOf(record), keyValuesOf(renewed))) await warnOfRival(renewed);
  }

  /** Refuses only a tenant without a record here: the secrets of others go on being renewed. */
  async function refuseSharedKeys(arrival: Arrival): Promise<void> {
    const reason = await sharedKey(arrival);
    if (reason === undefined) return;
    const { tenant } = arrival;
    log.error(`alarm: an installation is refused: ${reason}`, { clientKey: tenant });
    throw new Refusal(409, undefined, `this client key cannot be installed here: ${reason}`);
  }

  /**
   * The second of two tenants that would have one key does not open: a purge of one would delete
   * what is the other's. While the other is only opening, either may be the first, and both ask
   * again.
   */
  async function refuseRival(record: TenantRecord, iat: number): Promise<void> {
    const { tenant } = record;
    const rival = await rivalOf(keyValuesOf(record));
    if (rival === undefined) return;
    await tenants.change(here, tenant, (current) => abandonOpening(current, iat));
    if (rival.record.state === 'opening')
      throw new Fault('another installation, which would share a key with it, is under way');
    log.error(`alarm: an installation is refused: ${rival.says}`, { clientKey: tenant });
    throw new Refusal(
      409,
      undefined,
      'this tenant cannot be installed here: another one has one of its keys',
    );
  }

  /**
   * The tenant goes on being served; but it can neither be moved nor purged while another tenant
   * has one of its keys.
   */
  async function warnOfRival(record: TenantRecord): Promise<void> {
    const rival = await rivalOf(keyValuesOf(record));
    if (rival !== undefined)
      log.error(`alarm: two tenants share a key: ${rival.says}`, { clientKey: record.tenant });
  }

  /**
   * Where a tenant that has moved is uninstalled in its new realm, or will be as soon as it is
   * opened there, or where an installation there has not come to its end, only that realm's own
   * `installed` opens it, and Atlassian must not believe that it is installed. This runs before any
   * write, because the old secret must still verify what Atlassian sends after the refusal.
   */
  async function lookThere(record: TenantRecord, seen: readonly Realm[] = [here]): Promise<void> {
    const { tenant, movedTo = here } = record;
    if (seen.includes(movedTo)) return;
    log.error(`alarm: installed in realm ${here}, which the tenant has left for ${movedTo}`, {
      clientKey: tenant,
    });
    const there = await tenants.read(movedTo, tenant);
    if (there?.state === 'moved') return lookThere(there, [...seen, movedTo]);
    const isUninstalled = (one: TenantRecord) => one.uninstalledIat !== undefined;
    const willRetire =
      there?.state === 'standby' && (isUninstalled(record) || isUninstalled(there));
    if (isRetired(there) || willRetire)
      throw new Fault(`the tenant is uninstalled in realm ${movedTo}, where it lives`);
    if (there?.state === 'opening')
      throw new Fault(`the tenant is being installed in realm ${movedTo}, where it lives`);
  }

  /**
   * Renews the addressed realm first, then the other side of its move; a stub leads on to the realm
   * where the tenant lives, over any number of moves. In every record of the tenant the newer
   * credentials win.
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

  /**
   * This realm does not serve the tenant: makes sure that no other realm does, and then opens it.
   * There must never be two writers.
   */
  async function openHere(arrival: Arrival): Promise<void> {
    const { tenant, credentials } = arrival;
    await refuseInMove(tenant);
    const begun = await tenants.change(here, tenant, (current) => beginOpening(current, arrival));
    const state = begun.record?.state;
    if (state !== 'opening' && state !== 'retired') return installed(arrival);
    if (state === 'retired') return;
    // A newer installation is under way, but it may lack what this one brought.
    if (begun.record?.openingIat !== credentials.iat) {
      await renewIn(here, arrival);
      return;
    }

    const twin = await joinedTwin(arrival);
    if (twin !== undefined) return installed(twin);
    await refuseRival(begun.record, credentials.iat);
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

  /** Makes another realm give way to the opening here; `false` when this realm must give way. */
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
    // The other realm has changed in between, and does not go first: the next try looks again.
    if (found === 'opens-later' || (found === 'serves' && !isNewer)) return giveUp(tenant, iat);
    return false;
  }

  /** A verified `POST /uninstalled`. `iat` in epoch seconds. */
  async function uninstalled(tenant: string, iat: number): Promise<void> {
    await uninstallIn(here, tenant, iat, [here]);
  }

  /**
   * The tenant retires in the realm that serves it, or will; the other realms of its move get the
   * flag.
   */
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

/** What the other realms must learn from the record here, whether or not it arrived just now. */
function standing(record: TenantRecord, arrival: Announcement): Announcement {
  const { tenant, credentials } = record;
  const { sharedSecret, iat } = arrival.credentials;
  const isOfArrival = credentials.iat === iat && credentials.sharedSecret === sharedSecret;
  return { ...(isOfArrival ? arrival : { tenant }), credentials, identity: identityOf(record) };
}

const isRetired = (record: TenantRecord | undefined): boolean =>
  record?.state === 'retired' || record?.state === 'purging';

/** Retired, and not by this migration's arrival: that residency was an earlier one. */
const isOfEarlierResidency = (record: TenantRecord | undefined, via: string | undefined): boolean =>
  via !== undefined && isRetired(record) && record?.arrivedBy !== via;

function flagged(record: TenantRecord | undefined, iat: number): TenantRecord | undefined {
  return isRetired(record) ? undefined : withUninstalled(record, iat);
}

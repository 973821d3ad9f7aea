/**
 * The writes on a tenant's record: pure decisions, each of which becomes one conditional write and
 * names the migration that owns it. `undefined` means that the condition does not hold, and that
 * nothing is written.
 */

import { defined } from '../defined.ts';
import type { Realm } from '../realm.ts';
import { DAY_SECONDS } from '../time.ts';
import { afterArrival, afterMeeting } from './credentials.ts';
import { identityOf, installedIat, knows, withIdentity, withSite } from './identity.ts';
import type { Announcement } from './takeover.ts';
import {
  arrivedBy,
  type Credentials,
  type Identity,
  type Installation,
  isOwnedBy,
  isStub,
  RETIRED_DAYS,
  type TenantRecord,
} from './tenant.ts';

type Current = TenantRecord | undefined;
/**
 * A record keeps this many released migrations. A Lambda cannot be delayed for longer than that
 * many moves.
 */
const REMEMBERED = 50;

/**
 * `active` → `frozen(m)`, in the source; never by a migration that has released the tenant. `now`
 * in epoch milliseconds.
 */
export function freeze(record: Current, migration: string, ledger: Realm, now: number): Current {
  if (record?.state !== 'active' || record.released?.includes(migration)) return undefined;
  return { ...record, state: 'frozen', migration, ledger, fencedAt: now };
}

/** `frozen(m)` → `moved(m)`, in the source: it stops serving before the target begins to serve. */
export function close(record: Current, migration: string, target: Realm): Current {
  if (!isOwnedBy(record, migration, 'frozen')) return undefined;
  return { ...record, state: 'moved', movedTo: target, released: remembering(record, migration) };
}

/**
 * `standby(m)` → `active`, arrived by m, in the target. An uninstalled tenant arrives `retired`.
 */
export function open(record: Current, migration: string, now: number): Current {
  if (!isOwnedBy(record, migration, 'standby') || record.unclean) return undefined;
  return activated(
    { ...unowned(record), arrivedBy: migration, ledger: record.ledger as Realm },
    now,
  );
}

/**
 * `frozen(m)` or `moved(m)` → `active`, in the source. Whether or not the source was fenced, the
 * record keeps that m has released it, so that a delayed start cannot fence it.
 */
export function release(record: Current, migration: string, now: number): Current {
  if (record === undefined) return undefined;
  const released = remembering(record, migration);
  if (isOwnedBy(record, migration, 'frozen', 'moved'))
    return activated({ ...unowned(record), released }, now);
  return record.released?.includes(migration) ? undefined : { ...record, released };
}

/**
 * `standby(m)`, or `active` by the arrival of m → `withdrawn(m)`, in the target: it stops serving.
 */
export function withdraw(record: Current, migration: string, now: number): Current {
  const withdrawn = { state: 'withdrawn', migration, fencedAt: now } as const;
  if (isOwnedBy(record, migration, 'standby')) return { ...record, ...withdrawn };
  if (!arrivedBy(record, migration)) return undefined;
  const { purgeDueAt: _, ...rest } = record;
  return { ...rest, ...withdrawn, wasOpen: true };
}

/**
 * Writes a whole `standby(m)` record in the target: where there is none, over a stub (whose expiry
 * goes with it), or over a retired tenant (whose purge date goes with it, and whose data must be
 * cleared first). No other record may be claimed.
 */
export function claim(
  record: Current,
  source: TenantRecord,
  migration: string,
  ledger: Realm,
): Current {
  const isRetired = record?.state === 'retired' && !record.keep;
  if (record !== undefined && !isStub(record) && !isRetired) return undefined;
  return {
    tenant: source.tenant,
    state: 'standby',
    migration,
    ledger,
    credentials: source.credentials,
    installation: source.installation,
    ...identityOf(source),
    ...(record?.released ? { released: record.released } : {}),
    ...defined({ uninstalledIat: source.uninstalledIat }),
    ...(isRetired ? { unclean: true } : {}),
  };
}

/** The data of the retired tenant is cleared. */
export function cleaned(record: Current, migration: string): Current {
  if (!isOwnedBy(record, migration, 'standby') || !record.unclean) return undefined;
  const { unclean: _, ...rest } = record;
  return rest;
}

/**
 * `moved(m)` becomes a stub: it keeps what verifies late hooks and names the new realm, and
 * vanishes after `expiresAt` (epoch seconds).
 */
export function stub(record: Current, migration: string, expiresAt: number): Current {
  if (!isOwnedBy(record, migration, 'moved') || record.expiresAt !== undefined) return undefined;
  const { installation: _, arrivedBy: __, ...rest } = withSite(record);
  return { ...rest, installation: {}, expiresAt };
}

/** `moved(m)` loses its expiry, because a rollback may still need it. */
export function kept(record: Current, migration: string): Current {
  if (!isOwnedBy(record, migration, 'moved') || record.expiresAt === undefined) return undefined;
  const { expiresAt: _, ...rest } = record;
  return rest;
}

/**
 * Stores what an installation brings, credentials and facts, unless the stored ones are newer or it
 * has arrived before. A newer installation takes back an uninstallation. But a retired tenant stays
 * retired: it is opened only after every other realm has been asked.
 */
export function withCredentials(
  record: Current,
  credentials: Credentials,
  installation?: Installation,
): Current {
  return record && renewed(record, afterArrival(record.credentials, credentials), installation);
}

function renewed(
  record: TenantRecord,
  credentials: Credentials | undefined,
  installation: Installation | undefined,
): Current {
  if (credentials === undefined) return undefined;
  const facts = installation && record.expiresAt === undefined ? { installation } : {};
  const next: TenantRecord = { ...record, credentials, ...facts };
  if (next.uninstalledIat === undefined || next.uninstalledIat > credentials.iat) return next;
  const { uninstalledIat: _, ...rest } = next;
  return rest;
}

/**
 * Stores the credentials and facts of another realm's record. Facts of the same installation are
 * stored also where this record has lost them.
 */
export function withCredentialsOf(
  record: Current,
  credentials: Credentials,
  installation?: Installation,
): Current {
  if (record === undefined) return undefined;
  const { sharedSecret, iat } = record.credentials;
  const isSame = sharedSecret === credentials.sharedSecret && iat === credentials.iat;
  const met = afterMeeting(record.credentials, credentials);
  return renewed(record, met ?? (isSame ? record.credentials : undefined), installation);
}

/**
 * Stores what was announced by Connect, by Forge or by another realm. Without a secret it leaves
 * the stored one as it is.
 */
export function withArrival(
  record: Current,
  { credentials, installation, identity }: Announcement,
  renew = withCredentials,
): Current {
  const next =
    credentials.sharedSecret === undefined ? undefined : renew(record, credentials, installation);
  const base = next ?? record;
  return base === undefined || knows(base, identity) ? next : withInstallations(base, identity);
}

/** A newer installation takes back an uninstallation, whether it came by Connect or by Forge. */
function withInstallations(record: TenantRecord, told: Identity | undefined): TenantRecord {
  const next = withIdentity(record, told);
  if (next.uninstalledIat === undefined || next.uninstalledIat > installedIat(next)) return next;
  const { uninstalledIat: _, ...rest } = next;
  return rest;
}

/** Takes over what the other realm's record has newer: credentials, names, an uninstallation. */
export function withFactsOf(record: TenantRecord, other: TenantRecord): Current {
  const next = withInstallations(
    withCredentialsOf(record, other.credentials, other.installation) ?? record,
    identityOf(other),
  );
  return other.uninstalledIat === undefined || hasMissed(other, next)
    ? next
    : (withUninstalled(next, other.uninstalledIat) ?? next);
}

/**
 * True where the other record has an uninstallation of the same second as an installation that only
 * this record has. The installation took the uninstallation back here, and will reach the other
 * realm.
 */
const hasMissed = (other: TenantRecord, record: TenantRecord): boolean =>
  other.uninstalledIat === installedIat(record) && installedIat(other) < installedIat(record);

/** Sets the flag beside any fence. An uninstallation older than the installation is ignored. */
export function withUninstalled(record: Current, iat: number): Current {
  if (record === undefined || iat < installedIat(record)) return undefined;
  if (record.uninstalledIat !== undefined && record.uninstalledIat >= iat) return undefined;
  return { ...record, uninstalledIat: iat };
}

/**
 * `active` → `retired`: the data stays for the time of realm persistence. `now` in epoch
 * milliseconds.
 */
export function retire(record: Current, iat: number, now: number): Current {
  const flagged = record?.state === 'active' ? withUninstalled(record, iat) : undefined;
  return flagged && activated(flagged, now);
}

/** Every step to `active` goes through here: with the flag set, it ends in `retired`. */
function activated(record: TenantRecord, now: number): TenantRecord {
  if (record.uninstalledIat === undefined) return { ...record, state: 'active' };
  return {
    ...record,
    state: 'retired',
    purgeDueAt: Math.floor(now / 1000) + RETIRED_DAYS * DAY_SECONDS,
  };
}

function unowned(record: TenantRecord): TenantRecord {
  const {
    migration: _m,
    ledger: _l,
    fencedAt: _f,
    movedTo: _t,
    wasOpen: _w,
    expiresAt: _e,
    ...rest
  } = record;
  return rest;
}

const remembering = (record: TenantRecord, migration: string): readonly string[] =>
  [...(record.released ?? []).filter((id) => id !== migration), migration].slice(-REMEMBERED);

/**
 * The opening of a realm for a tenant at `installed`: it is opened only when it is certain that no
 * other realm serves the tenant.
 */

import type { Realm } from '../realm.ts';
import { afterArrival, isKnown } from './credentials.ts';
import { installedIat, withIdentity } from './identity.ts';
import {
  type Credentials,
  type Identity,
  type Installation,
  isInMove,
  type TenantRecord,
} from './tenant.ts';

/** An installation that was announced by Connect or by Forge. */
export interface Arrival {
  readonly tenant: string;
  /** The secret that it brought, if any, and the issue time of its token. */
  readonly credentials: Credentials;
  readonly installation: Installation;
  readonly identity?: Identity;
}

/**
 * An arrival as other realms get it. It has no facts where the stored ones came with another
 * installation.
 */
export type Announcement = Omit<Arrival, 'installation'> & Partial<Pick<Arrival, 'installation'>>;

type Current = TenantRecord | undefined;

/**
 * None, retired, or an earlier opening → `opening(iat)`. The names and dates of a retired record
 * stay.
 */
export function beginOpening(
  record: Current,
  { tenant, credentials, installation, identity }: Arrival,
): Current {
  const brought =
    credentials.sharedSecret === undefined
      ? {
          credentials: record?.credentials ?? { iat: 0 },
          installation: { ...installation, ...record?.installation },
        }
      : { credentials, installation };
  const opening = {
    tenant,
    state: 'opening',
    ...brought,
    openingIat: credentials.iat,
  } as const;
  if (record === undefined) return withIdentity<TenantRecord>(opening, identity);
  const isOutdated = Math.max(installedIat(record), record.uninstalledIat ?? 0) > credentials.iat;
  const stands =
    credentials.sharedSecret === undefined
      ? record.credentials
      : (afterArrival(record.credentials, credentials) ?? record.credentials);
  const next = withIdentity({ ...record, ...opening, credentials: stands }, identity);
  const isRepeated = identity === undefined ? false : isHeard(record, identity);
  if (
    record.state === 'retired' &&
    !isOutdated &&
    !isRepeated &&
    !isKnown(credentials, record.credentials)
  )
    return next;
  if (record.state === 'opening' && (record.openingIat ?? 0) <= credentials.iat) return next;
  return undefined;
}

/** True for an announcement of Forge that the record has, and that came again within its second. */
const isHeard = ({ installations = [] }: TenantRecord, told: Identity): boolean =>
  (told.installations ?? []).length > 0 &&
  (told.installations ?? []).every(({ id, iat }) =>
    installations.some((known) => known.id === id && known.iat >= iat),
  );

/**
 * `opening(iat)` → `active`, if the opening is still this one. The data of a retired tenant is the
 * customer's again.
 */
export function finishOpening(record: Current, iat: number): Current {
  if (record?.state !== 'opening' || record.openingIat !== iat) return undefined;
  const { openingIat: _o, uninstalledIat: _u, purgeDueAt: _p, keep: _k, ...rest } = record;
  return { ...rest, state: 'active' };
}

/** Takes an opening back: a retired tenant is retired again, any other record is removed. */
export function abandonOpening(record: Current, iat: number): TenantRecord | 'remove' | undefined {
  if (record?.state !== 'opening' || record.openingIat !== iat) return undefined;
  if (record.purgeDueAt === undefined && !record.keep) return 'remove';
  const { openingIat: _, ...rest } = record;
  // No installation took place, so that the same token may arrive again and open the realm.
  const { tokens: __, ...credentials } = record.credentials;
  return { ...rest, credentials, state: 'retired' };
}

/**
 * `active` in the other realm → `retired` by a newer installation. The data is kept, because it may
 * be the customer's only copy.
 */
export function takeOver(record: Current, iat: number): Current {
  if (record?.state !== 'active' || installedIat(record) >= iat) return undefined;
  return { ...record, state: 'retired', keep: true, uninstalledIat: iat };
}

/** What another realm's record means for an opening here. */
export type Elsewhere = 'nothing' | 'serves' | 'in-move' | 'opens-first' | 'opens-later';

/**
 * Where two realms open at once, the newer installation wins; of two equally new ones, the realm
 * that is first in the alphabet.
 */
export function elsewhere(record: Current, there: Realm, here: Realm, iat: number): Elsewhere {
  if (record === undefined) return 'nothing';
  if (isInMove(record)) return 'in-move';
  if (record.state === 'active') return 'serves';
  if (record.state !== 'opening') return 'nothing';
  const theirs = record.openingIat ?? 0;
  return theirs > iat || (theirs === iat && there < here) ? 'opens-first' : 'opens-later';
}

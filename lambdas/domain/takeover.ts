/** How a realm becomes a tenant's own at `installed`: opened only when it is certain that no other realm serves it. */
import { afterArrival, isKnown } from './credentials.ts';
import type { Realm } from './realm.ts';
import { type Credentials, type Installation, isInMove, type TenantRecord } from './tenant.ts';

export interface Arrival {
  readonly tenant: string;
  readonly credentials: Credentials;
  readonly installation: Installation;
}

type Current = TenantRecord | undefined;

/** None, retired, or an earlier opening → `opening(iat)`. What a retired record kept is kept. */
export function beginOpening(
  record: Current,
  { tenant, credentials, installation }: Arrival,
): Current {
  const opening = {
    tenant,
    state: 'opening',
    credentials,
    installation,
    openingIat: credentials.iat,
  } as const;
  if (record === undefined) return opening;
  const isOutdated = Math.max(record.credentials.iat, record.uninstalledIat ?? 0) > credentials.iat;
  const next = {
    ...record,
    ...opening,
    credentials: afterArrival(record.credentials, credentials) ?? record.credentials,
  };
  if (record.state === 'retired' && !isOutdated && !isKnown(credentials, record.credentials))
    return next;
  if (record.state === 'opening' && (record.openingIat ?? 0) <= credentials.iat) return next;
  return undefined;
}

/** `opening(iat)` → `active`, if it is still ours; the data of a retired tenant is the customer's again. */
export function finishOpening(record: Current, iat: number): Current {
  if (record?.state !== 'opening' || record.openingIat !== iat) return undefined;
  const { openingIat: _o, uninstalledIat: _u, purgeDueAt: _p, keep: _k, ...rest } = record;
  return { ...rest, state: 'active' };
}

/** Takes an opening back: a retired tenant is retired again, anything else was nothing. */
export function abandonOpening(record: Current, iat: number): TenantRecord | 'remove' | undefined {
  if (record?.state !== 'opening' || record.openingIat !== iat) return undefined;
  if (record.purgeDueAt === undefined && !record.keep) return 'remove';
  const { openingIat: _, ...rest } = record;
  // Nothing was installed: the same token may come again, and then open.
  const { tokens: __, ...credentials } = record.credentials;
  return { ...rest, credentials, state: 'retired' };
}

/** `active` elsewhere → `retired` by a newer installation; kept, because it may be the customer's only copy. */
export function takeOver(record: Current, iat: number): Current {
  if (record?.state !== 'active' || record.credentials.iat >= iat) return undefined;
  return { ...record, state: 'retired', keep: true, uninstalledIat: iat };
}

/** What another realm's record means for an opening here. */
export type Elsewhere = 'nothing' | 'serves' | 'in-move' | 'opens-first' | 'opens-later';

/** Of two realms that open at once, the newer installation wins; of two equally new ones, the realm earlier in the alphabet. */
export function elsewhere(record: Current, there: Realm, here: Realm, iat: number): Elsewhere {
  if (record === undefined) return 'nothing';
  if (isInMove(record)) return 'in-move';
  if (record.state === 'active') return 'serves';
  if (record.state !== 'opening') return 'nothing';
  const theirs = record.openingIat ?? 0;
  return theirs > iat || (theirs === iat && there < here) ? 'opens-first' : 'opens-later';
}

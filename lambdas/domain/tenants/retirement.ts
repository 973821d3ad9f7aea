/**
 * The end of a retired tenant: its data is purged, and then its record. Who purges holds a lease on the record for as long as
 * that invocation can run, so that nobody else is at it, and nobody opens the realm, while one page may still be deleted.
 */
import type { TenantRecord } from './tenant.ts';

type Current = TenantRecord | undefined;
type Purging = TenantRecord & { readonly purge: NonNullable<TenantRecord['purge']> };

export interface Purger {
  /** The invocation. */
  readonly owner: string;
  /** Epoch milliseconds after which it can run no more, with a margin. */
  readonly until: number;
}

/** No lease lasts longer: who purges is an invocation of five minutes at most, and a margin follows. Milliseconds. */
const LONGEST_PURGE = 6 * 60_000;

/** Uninstalled for so long that nobody will come back to it; what may be a customer's only copy stays. */
export const isDue = (record: Current, now: number): boolean =>
  record?.state === 'retired' &&
  !record.keep &&
  record.purgeDueAt !== undefined &&
  record.purgeDueAt * 1000 <= now;

/** `retired` and due → `purging(owner)`; or it goes on, once whoever was at it can run no more. */
export function beginPurge(
  record: Current,
  { owner, until }: Purger,
  now: number,
  isGone: (owner: string) => boolean,
): Current {
  if (record !== undefined && isDue(record, now))
    return {
      ...record,
      state: 'purging',
      purge: { owner, until, begunAt: new Date(now).toISOString() },
    };
  if (record?.state !== 'purging' || record.purge === undefined) return undefined;
  const isHeld = record.purge.until > now && !isGone(record.purge.owner);
  if (!isHeld) return { ...record, purge: { ...record.purge, owner, until } };
  // The clock was set back since: shortened to the longest that a lease can last from now on.
  if (record.purge.until - now <= LONGEST_PURGE) return undefined;
  return { ...record, purge: { ...record.purge, until: now + LONGEST_PURGE } };
}

export const isPurgedBy = (record: Current, owner: string): record is Purging =>
  record?.state === 'purging' && record.purge?.owner === owner;

/** Not done yet: the next one need not wait. */
export function pausePurge(record: Current, owner: string): Current {
  return isPurgedBy(record, owner)
    ? { ...record, purge: { ...record.purge, until: 0 } }
    : undefined;
}

/** The signed-off record of a purge. Nothing of the customer's content is in it. */
export interface PurgeReceipt {
  readonly tenant: string;
  readonly uninstalledIat?: number;
  readonly begunAt: string;
  readonly at: string;
  /** Ranges that strongly consistent reads found empty. */
  readonly provenEmpty: readonly string[];
  /** The day from which no point-in-time backup holds the data any more (YYYY-MM-DD). */
  readonly backupsExpire: string;
}

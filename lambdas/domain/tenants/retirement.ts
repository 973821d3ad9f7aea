/**
 * The end of a retired tenant: its data is purged, and then its record. The purging invocation
 * holds a lease on the record for as long as it can run. Meanwhile no other invocation purges, and
 * none opens the realm, because one more page may still be deleted.
 */
import { MINUTE_MS } from '../time.ts';
import type { TenantRecord } from './tenant.ts';

type Current = TenantRecord | undefined;
type Purging = TenantRecord & { readonly purge: NonNullable<TenantRecord['purge']> };

export interface Purger {
  /** Id of the purging invocation. */
  readonly owner: string;
  /** Epoch milliseconds after which it can run no more, with a margin. */
  readonly until: number;
}

/**
 * The longest lease in milliseconds: a purging invocation runs for five minutes at most, and a
 * margin follows.
 */
const LONGEST_PURGE = 6 * MINUTE_MS;

/** A day: `installed` lasts for seconds, and Atlassian repeats it for minutes. */
const LONGEST_OPENING = 24 * 60 * MINUTE_MS;

/** An `installed` that died left it, and none has come since. */
const isLeftOpening = ({ state, openingIat = 0 }: TenantRecord, now: number): boolean =>
  state === 'opening' && openingIat * 1000 + LONGEST_OPENING <= now;

/**
 * True where the time of realm persistence is over. A record that may be a customer's only copy is
 * never due. An opening that never ended does not keep the data of a retired tenant.
 */
export const isDue = (record: Current, now: number): boolean =>
  record !== undefined &&
  (record.state === 'retired' || isLeftOpening(record, now)) &&
  !record.keep &&
  record.purgeDueAt !== undefined &&
  record.purgeDueAt * 1000 <= now;

/**
 * `retired`, or an opening that never ended, and due → `purging(owner)`; or takes over from an
 * owner that can run no more.
 */
export function beginPurge(
  record: Current,
  { owner, until }: Purger,
  now: number,
  isGone: (owner: string) => boolean,
): Current {
  if (record !== undefined && isDue(record, now)) {
    const { openingIat: _, ...retired } = record;
    const begunAt = new Date(now).toISOString();
    return { ...retired, state: 'purging', purge: { owner, until, begunAt } };
  }
  if (record?.state !== 'purging' || record.purge === undefined) return undefined;
  const isHeld = record.purge.until > now && !isGone(record.purge.owner);
  if (!isHeld) return { ...record, purge: { ...record.purge, owner, until } };
  // The clock was set back since. Shortens the lease to the longest that can begin now.
  if (record.purge.until - now <= LONGEST_PURGE) return undefined;
  return { ...record, purge: { ...record.purge, until: now + LONGEST_PURGE } };
}

export const isPurgedBy = (record: Current, owner: string): record is Purging =>
  record?.state === 'purging' && record.purge?.owner === owner;

/** Ends the lease of an unfinished purge, so that the next invocation need not wait. */
export function pausePurge(record: Current, owner: string): Current {
  return isPurgedBy(record, owner)
    ? { ...record, purge: { ...record.purge, until: 0 } }
    : undefined;
}

/** The signed-off record of a purge. It holds none of the customer's content. */
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

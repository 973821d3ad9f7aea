/**
 * Leases on the records of ranges: how one is given back, which are still held, and how an overlong
 * one is shortened after a clock was set back.
 */

import type { Migration, MigrationKey } from '../../domain/moving/migration.ts';
import {
  isLeased,
  isOverlong,
  LONGEST_LEASE,
  type RangeRecord,
  withoutLease,
} from '../../domain/moving/range-record.ts';
import type { Realm } from '../../domain/realm.ts';
import { CLOCK_SKEW_MS } from '../../domain/time.ts';
import type { Ports } from '../../ports.ts';
import type { Invocation } from './range-turn.ts';

/** How often a lease is tried to be given back. */
export const MOST_OFFERS = 5;

/**
 * A lease lasts until its holder can run no more, and a little longer, because the next worker's
 * clock may differ.
 */
export const leaseOf = ({ id, deadline }: Invocation) => ({
  owner: id,
  until: deadline + CLOCK_SKEW_MS,
});

/** The range, and the realm that has its record. */
export interface LeasedRange {
  readonly realm: Realm;
  readonly key: MigrationKey;
}

/**
 * Gives a lease back, after `error` or a good end, once every writer of this invocation has
 * stopped. The lease may have been taken although its write was answered by a fault, so the record
 * is read. A write that is still on its way must fail: the record gets a new revision also where it
 * is still the one that `asked` was to replace.
 */
export async function giveLeaseBack(
  { rangeRecords, clock, log }: Pick<Ports, 'rangeRecords' | 'clock' | 'log'>,
  { realm, key }: LeasedRange,
  asked: RangeRecord,
  { id, deadline }: Invocation,
  error?: unknown,
): Promise<void> {
  const said = error instanceof Error ? error.message.slice(0, 500) : 'unknown error';
  const lastError = error === undefined ? {} : { lastError: said };
  for (let tries = 0; tries < MOST_OFFERS && clock.now() < deadline; tries += 1) {
    try {
      const stored = await rangeRecords.read(realm, key, asked.range);
      const isOnItsWay = (stored?.revision ?? 0) === asked.revision;
      if (stored?.lease?.owner !== id && !isOnItsWay) return;
      const held = stored?.lease?.owner === id ? stored : asked;
      if (await rangeRecords.put(realm, key, { ...withoutLease(held), ...lastError })) return;
    } catch {
      // Tries again at once: each call of the store has waited for a while already.
    }
  }
  log.warn(`the lease on range ${asked.range} was not given back; it runs out by itself`);
}

/**
 * A lease that seems to last longer than any lease can was taken before the clock was set back. It
 * is shortened to the longest lease that can begin now, so that no worker waits longer. Its holder,
 * if it still runs, notices at its next checkpoint and begins its turn again.
 */
export async function shortenOverlong(
  { rangeRecords, clock }: Pick<Ports, 'rangeRecords' | 'clock'>,
  { realm, key }: LeasedRange,
  record: RangeRecord,
): Promise<RangeRecord> {
  if (!isOverlong(record, clock.now())) return record;
  const stored = (await rangeRecords.read(realm, key, record.range)) ?? record;
  if (stored.lease === undefined || !isOverlong(stored, clock.now())) return stored;
  const lease = { ...stored.lease, until: clock.now() + LONGEST_LEASE };
  return (await rangeRecords.put(realm, key, { ...stored, lease })) ?? stored;
}

/**
 * Epoch milliseconds until which a worker may still write for this migration, in either realm; 0
 * when none can.
 */
export async function busyUntil(ports: Ports, migration: Migration): Promise<number> {
  const realms: readonly Realm[] = [migration.source, migration.target];
  const ends = await Promise.all(
    realms.map(async (realm) =>
      leasedUntil(ports, realm, migration, await ports.rangeRecords.list(realm, migration)),
    ),
  );
  return Math.max(...ends);
}

/** The same for these ranges of one realm. */
export async function leasedUntil(
  ports: Pick<Ports, 'rangeRecords' | 'clock' | 'isGone'>,
  realm: Realm,
  key: MigrationKey,
  records: readonly RangeRecord[],
): Promise<number> {
  const { clock, isGone } = ports;
  const leased = records.filter((record) => isLeased(record, clock.now(), isGone));
  const held = await Promise.all(
    leased.map((record) => shortenOverlong(ports, { realm, key }, record)),
  );
  return Math.max(0, ...held.map(({ lease }) => lease?.until ?? 0));
}

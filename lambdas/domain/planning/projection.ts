/**
 * Projects when a running copy will be verified, from what it has done so far, and decides when it
 * gives up, so that the site can come back within its window.
 */

import { type Migration, type Projection, windowReserve } from '../moving/migration.ts';
import type { RangeRecord } from '../moving/range-record.ts';
import { MINUTE_MS } from '../time.ts';

/** Writing takes about three times as long as reading both sides. */
const COPY_SHARE = 0.75;
/** No projection before this time and this share: workers start, tables warm up. */
const EARLIEST_MS = 10 * MINUTE_MS;
const LEAST_FRACTION = 0.05;
/**
 * A projection counts as beyond the window only by this share of the remaining time: less is within
 * its error.
 */
const MARGIN = 0.1;
/** Number of looks by the janitor, five minutes apart. */
const GIVE_UP_AFTER = 3;

/** The share that is done of the `items` to be moved: of the copy, and of the verification. */
export function fractionDone(records: readonly RangeRecord[], items: number): number {
  const itemsOf = ({ source, target }: RangeRecord) => (target ?? source)?.digest.items ?? 0;
  const of = (work: RangeRecord['work']) =>
    records.filter((record) => record.work === work).reduce((sum, one) => sum + itemsOf(one), 0);
  const verified = of('verify-copy');
  const written = of('copy') + of('repair-target') + verified;
  const done = COPY_SHARE * written + (1 - COPY_SHARE) * verified;
  return Math.min(1, done / Math.max(1, items));
}

/**
 * Assumes that the rest goes on at the average rate since the copy began, so that a stall of a
 * minute changes little. Epoch milliseconds.
 */
export const projectedEnd = (began: number, fraction: number, now: number): number =>
  began + (now - began) / fraction;

/** The time by which a copy has to be verified, or gives up. Epoch milliseconds. */
export const latestEnd = (facts: NonNullable<Migration['facts']>): number =>
  Date.parse(facts.endTime) - windowReserve({ facts });

/** One look by the janitor. `undefined` while it is too early, or the size is not known. */
export function project(
  migration: Pick<Migration, 'facts' | 'startedAt' | 'estimate' | 'projection'>,
  records: readonly RangeRecord[],
  drainSeconds: number,
  now: number,
): Projection | undefined {
  const { facts, startedAt, estimate, projection: last } = migration;
  if (facts === undefined || startedAt === undefined || estimate === undefined) return undefined;
  const began = Date.parse(startedAt) + drainSeconds * 1000;
  const fraction = fractionDone(records, estimate.items);
  if (now - began < EARLIEST_MS || fraction < LEAST_FRACTION) return undefined;
  const endsAt = projectedEnd(began, fraction, now);
  const latest = latestEnd(facts);
  const isBeyond = endsAt > latest + MARGIN * Math.max(0, latest - now);
  return {
    at: new Date(now).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
    fraction,
    beyond: isBeyond ? (last?.beyond ?? 0) + 1 : 0,
  };
}

/**
 * True where several looks in a row agree: a copy that will be too late should not keep the site
 * offline until then. A size that was counted before the fence does not count, because items may
 * have been deleted since.
 */
export function isHopeless(
  { beyond }: Projection,
  { estimate, startedAt }: Pick<Migration, 'estimate' | 'startedAt'>,
): boolean {
  const isCountedSince =
    estimate !== undefined && startedAt !== undefined && estimate.at >= startedAt;
  return isCountedSince && beyond >= GIVE_UP_AFTER;
}

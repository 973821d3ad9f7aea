/**
 * When a copy under way will be verified, by what it has done so far; and when it is time to give up, so that the site can
 * come back inside its window.
 */
import { type Migration, type Projection, windowReserve } from '../moving/migration.ts';
import type { RangeRecord } from '../moving/range-record.ts';

/** Writing takes about three times as long as reading both sides. */
const COPY_SHARE = 0.75;
/** Before this long, and this much, nothing can be said: workers start, tables warm up. */
const EARLIEST_MS = 10 * 60_000;
const LEAST_FRACTION = 0.05;
/** A projection counts as beyond only by so much of the time that is left: the last tenth is within what it may err by. */
const MARGIN = 0.1;
/** Of the janitor's looks, five minutes apart. */
const GIVE_UP_AFTER = 3;

/** Of so many items that are to be moved: what is copied, and what of it is verified. */
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
 * The rest takes as long as what is done, in proportion: averaged since the copy began, so that a stall of a minute shifts it
 * by little, and is forgotten. Epoch milliseconds.
 */
export const projectedEnd = (began: number, fraction: number, now: number): number =>
  began + (now - began) / fraction;

/** The moment by which a copy has to be verified, or ends itself. Epoch milliseconds. */
export const latestEnd = (facts: NonNullable<Migration['facts']>): number =>
  Date.parse(facts.endTime) - windowReserve({ facts });

/** One look of the janitor. `undefined` while it is too early, or the size is not known. */
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
 * Several looks in a row agree: what comes too late anyway should not keep the site away until then. Items that were counted
 * before the tenant was fenced may have been deleted since: by them nothing is given up.
 */
export function isHopeless(
  { beyond }: Projection,
  { estimate, startedAt }: Pick<Migration, 'estimate' | 'startedAt'>,
): boolean {
  const isCountedSince =
    estimate !== undefined && startedAt !== undefined && estimate.at >= startedAt;
  return isCountedSince && beyond >= GIVE_UP_AFTER;
}

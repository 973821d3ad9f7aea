/**
 * Projects when the present copy will be verified, and compares that with the end of its window.
 */
import type { HistoryEntry } from '../../../lambdas/domain/moving/history.ts';
import { type Migration, valuesOf } from '../../../lambdas/domain/moving/migration.ts';
import type { RangeRecord } from '../../../lambdas/domain/moving/range-record.ts';
import {
  fractionDone,
  latestEnd,
  projectedEnd,
} from '../../../lambdas/domain/planning/projection.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { type Operator, partCountsOf } from '../operator.ts';
import { lasting, moment } from '../terminal/print.ts';

export interface ProjectedEnd {
  /** Share of copy and verification together, 0 to 1. */
  readonly fractionDone: number;
  /** ISO; absent while too little is done for a projection. */
  readonly endsAt?: string;
  readonly isInTime?: boolean;
  readonly says: string;
}

/**
 * An operator gets a projection earlier than the janitor, which waits ten minutes before it acts on
 * one.
 */
const LEAST_FRACTION = 0.03;

export async function projectionOf(
  operator: Operator,
  migration: Migration,
  records: readonly { readonly realm: Realm; readonly record: RangeRecord }[],
  entries: readonly HistoryEntry[],
): Promise<ProjectedEnd | undefined> {
  const begun = entries.findLast(({ status }) => status === 'copying')?.at;
  if (migration.status !== 'copying' || begun === undefined) return undefined;
  // The size is known since the schedule. The tenant is counted here only where that count failed.
  const items = migration.estimate?.items ?? (await itemsOf(operator, migration));
  const own = records.filter(({ realm }) => realm === migration.target).map(({ record }) => record);
  return projectedFrom({
    fraction: fractionDone(own, items),
    begun: Date.parse(begun),
    now: operator.clock.now(),
    // The copy gives up at this time at the latest.
    windowEnds: migration.facts && latestEnd(migration.facts),
  });
}

async function itemsOf(operator: Operator, migration: Migration): Promise<number> {
  const sizes = await partCountsOf(operator, migration.source, valuesOf(migration));
  return sizes.filter(({ policy }) => policy === 'move').reduce((sum, { items }) => sum + items, 0);
}

/** Pure, with the janitor's formula. Times in epoch milliseconds. */
export function projectedFrom({
  fraction,
  begun,
  now,
  windowEnds,
}: {
  readonly fraction: number;
  readonly begun: number;
  readonly now: number;
  readonly windowEnds: number | undefined;
}): ProjectedEnd {
  if (fraction < LEAST_FRACTION)
    return { fractionDone: fraction, says: 'it is too early for a projection' };
  const end = projectedEnd(begun, fraction, now);
  const endsAt = new Date(end).toISOString();
  const percent = `${Math.floor(fraction * 100)} % done`;
  if (windowEnds === undefined)
    return { fractionDone: fraction, endsAt, says: `${percent}, verified about ${moment(end)}` };
  const isInTime = end < windowEnds;
  const distance = lasting(Math.abs(windowEnds - end) / 1000);
  const where = isInTime
    ? `${distance} before it would have to give up`
    : `${distance} TOO LATE for its window`;
  return {
    fractionDone: fraction,
    endsAt,
    isInTime,
    says: `${percent}, verified about ${moment(end)}, ${where}`,
  };
}

/** When the copy at hand will be verified, against the end of its window. */
import type { HistoryEntry } from '../../../lambdas/domain/moving/history.ts';
import type { Migration } from '../../../lambdas/domain/moving/migration.ts';
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
  /** Of copy and verification together, 0 to 1. */
  readonly fractionDone: number;
  /** ISO; absent while there is too little to go by. */
  readonly endsAt?: string;
  readonly isInTime?: boolean;
  readonly says: string;
}

/** Whoever looks may know earlier than whoever decides: the janitor waits ten minutes. */
const LEAST_FRACTION = 0.03;

export async function projectionOf(
  operator: Operator,
  migration: Migration,
  records: readonly { readonly realm: Realm; readonly record: RangeRecord }[],
  entries: readonly HistoryEntry[],
): Promise<ProjectedEnd | undefined> {
  const begun = entries.findLast(({ status }) => status === 'copying')?.at;
  if (migration.status !== 'copying' || begun === undefined) return undefined;
  // Known since the schedule; counted only if that came to nothing.
  const items = migration.estimate?.items ?? (await itemsOf(operator, migration));
  const own = records.filter(({ realm }) => realm === migration.target).map(({ record }) => record);
  return projectedFrom({
    fraction: fractionDone(own, items),
    begun: Date.parse(begun),
    now: operator.clock.now(),
    // The copy ends itself by then, whatever it has done.
    windowEnds: migration.facts && latestEnd(migration.facts),
  });
}

async function itemsOf(operator: Operator, { source, tenant }: Migration): Promise<number> {
  const sizes = await partCountsOf(operator, source, tenant);
  return sizes.filter(({ policy }) => policy === 'move').reduce((sum, { items }) => sum + items, 0);
}

/** Pure, by the janitor's own formula. Epoch milliseconds. */
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
    return { fractionDone: fraction, says: 'it is too early to say when the copy will be done' };
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

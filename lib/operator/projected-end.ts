/** When the copy at hand will be verified, against the end of its window. */
import type { HistoryEntry } from '../../lambdas/domain/history.ts';
import type { Migration } from '../../lambdas/domain/migration.ts';
import type { RangeRecord } from '../../lambdas/domain/range-record.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { type Operator, sizesOf } from './operator.ts';
import { lasting, moment } from './print.ts';

export interface ProjectedEnd {
  /** Of copy and verification together, 0 to 1. */
  readonly fractionDone: number;
  /** ISO; absent while there is too little to go by. */
  readonly endsAt?: string;
  readonly isInTime?: boolean;
  readonly says: string;
}

/** Writing takes about three times as long as reading both sides. */
const COPY_SHARE = 0.75;
const LEAST_FRACTION = 0.03;

export async function projectedEnd(
  operator: Operator,
  migration: Migration,
  records: readonly { readonly realm: Realm; readonly record: RangeRecord }[],
  entries: readonly HistoryEntry[],
): Promise<ProjectedEnd | undefined> {
  const begun = entries.findLast(({ status }) => status === 'copying')?.at;
  if (migration.status !== 'copying' || begun === undefined) return undefined;
  const sizes = await sizesOf(operator, migration.source, migration.tenant);
  const moving = sizes.filter(({ policy }) => policy === 'move');
  const all = moving.reduce((sum, { items }) => sum + items, 0);
  const own = records.filter(({ realm }) => realm === migration.target).map(({ record }) => record);
  return projectedFrom({
    fraction: fractionDone(own, all),
    begun: Date.parse(begun),
    now: operator.clock.now(),
    windowEnds: migration.facts && Date.parse(migration.facts.endTime),
  });
}

/** Pure: what is copied, and what is verified of it, of so many items. */
export function fractionDone(records: readonly RangeRecord[], items: number): number {
  if (items === 0) return records.some(({ done }) => done) ? 1 : 0;
  const seen = (work: RangeRecord['work']) =>
    records
      .filter((record) => record.work === work)
      .reduce((sum, { target, source }) => sum + ((target ?? source)?.digest.items ?? 0), 0);
  const verified = seen('verify-copy');
  const copied = Math.max(seen('copy') + verified, verified);
  return Math.min(1, (COPY_SHARE * copied + (1 - COPY_SHARE) * verified) / items);
}

/** Pure: the rest takes as long as what is done, in proportion. Epoch milliseconds. */
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
  const end = begun + (now - begun) / fraction;
  const endsAt = new Date(end).toISOString();
  const percent = `${Math.floor(fraction * 100)} % done`;
  if (windowEnds === undefined)
    return { fractionDone: fraction, endsAt, says: `${percent}, verified about ${moment(end)}` };
  const isInTime = end < windowEnds;
  const distance = lasting(Math.abs(windowEnds - end) / 1000);
  const where = isInTime
    ? `${distance} before its window ends`
    : `${distance} AFTER its window ends`;
  return {
    fractionDone: fraction,
    endsAt,
    isInTime,
    says: `${percent}, verified about ${moment(end)}, ${where}`,
  };
}

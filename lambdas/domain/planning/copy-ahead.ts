/** Copying ahead of the window: when it is worth the price, and how fast it may be. */
import type { Migration } from '../moving/migration.ts';
import { isNoOp } from '../moving/migration.ts';
import { HOUR_MS } from '../time.ts';

/** What a vendor declares. Without it, nothing is copied before a window begins. */
export interface CopyAhead {
  /** A schedule is copied ahead from so many hours before its window on. */
  readonly hoursBefore: number;
  /**
   * … if the planner expects the site to be offline for longer than this, for example `10 minutes`.
   */
  readonly above: string;
  /**
   * Write units per second and partition key, so that the live app keeps its share; 250 without it.
   */
  readonly rateLimit?: number;
}

/**
 * A partition key takes 1,000 write units a second: a quarter is left to this, the rest to the app.
 */
const AHEAD_UNITS = 250;

const UNITS: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3_600 };

/**
 * Seconds of a text like `90 seconds`, `10 minutes` or `1 hour`; `undefined` for any other text.
 */
export function secondsOf(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,6}) (second|minute|hour)s?$/.exec(text) ?? [];
  const seconds = UNITS[unit];
  return seconds === undefined ? undefined : Number(number) * seconds;
}

/** Refuses a declaration by which nothing could be done; the message says what is allowed. */
export function checkCopyAhead(declared: unknown): asserts declared is CopyAhead {
  const { hoursBefore, above, rateLimit, ...rest }: Record<string, unknown> = {
    ...(typeof declared === 'object' ? declared : {}),
  };
  const [unknown] = Object.keys(rest);
  if (typeof declared !== 'object' || declared === null || unknown !== undefined)
    throw new Error(
      `copyAhead has hoursBefore, above and rateLimit, and no ${unknown ?? typeof declared}`,
    );
  if (typeof hoursBefore !== 'number' || !(hoursBefore > 0) || hoursBefore > 24 * 30)
    throw new Error('copyAhead.hoursBefore is a number of hours above 0, and at most 720');
  if (typeof above !== 'string' || secondsOf(above) === undefined)
    throw new Error("copyAhead.above is a time like '10 minutes' or '1 hour'");
  const isRate =
    Number.isInteger(rateLimit) && Number(rateLimit) >= 1 && Number(rateLimit) <= 1_000;
  if (rateLimit !== undefined && !isRate)
    throw new Error(
      'copyAhead.rateLimit is a whole number of write units per second, from 1 to 1,000',
    );
}

/**
 * Whether a schedule is to be copied ahead now: it moves, was not begun before, its window begins
 * within the hours, and the planner expects a longer fence than `above`. Without an estimate it is
 * not: the count comes first. `now` in epoch milliseconds.
 */
export function isWorthAhead(
  migration: Pick<Migration, 'source' | 'target' | 'facts' | 'ahead' | 'estimate'>,
  { hoursBefore, above }: CopyAhead,
  now: number,
): boolean {
  const { facts, ahead, estimate } = migration;
  if (isNoOp(migration) || facts === undefined || ahead !== undefined) return false;
  const beginsIn = Date.parse(facts.startTime) - now;
  if (beginsIn > hoursBefore * HOUR_MS || Date.parse(facts.endTime) <= now) return false;
  return estimate !== undefined && estimate.seconds > (secondsOf(above) ?? 0);
}

/**
 * Items per second and partition key: an item takes one write unit for each KB begun, by the
 * average of the last count.
 */
export function aheadRate(
  declared: Pick<CopyAhead, 'rateLimit'> | undefined,
  estimate: { readonly items: number; readonly bytes: number } | undefined,
): number {
  const units = declared?.rateLimit ?? AHEAD_UNITS;
  const { items = 0, bytes = 0 } = estimate ?? {};
  const unitsPerItem = items > 0 ? Math.max(1, Math.ceil(bytes / items / 1024)) : 1;
  return Math.max(1, Math.floor(units / unitsPerItem));
}

/**
 * How long functions outside this app may still write a dataset after they asked the guard: a copy
 * waits for it.
 */
import { DAY_SECONDS } from '../time.ts';
import type { Part } from './dataset.ts';
import { isOwn, kindOf } from './kinds.ts';

export interface OtherWriters {
  readonly parts: readonly Part[];
  /** Seconds; see `Residency`. */
  readonly otherWritersSeconds?: number;
}

/** No function that writes a tenant's data runs for longer than a day. */
const LONGEST_SECONDS = DAY_SECONDS;

/**
 * Seconds. Refuses to guess where a part is the vendor's own table: only the vendor knows the
 * functions that write it, and a copy that begins too early misses what they write.
 */
export function otherWritersSecondsOf({ parts, otherWritersSeconds }: OtherWriters): number {
  if (otherWritersSeconds !== undefined) return checkedSeconds(otherWritersSeconds);
  const own = parts.find(isOwn);
  if (own === undefined) return 0;
  throw new Error(
    `part "${own.name}" is a ${kindOf(own).place} of your own: set otherWritersSeconds in residency.config.ts to the longest time, in seconds, for which a handler, consumer or job of yours may run (0, if none of them writes)`,
  );
}

export function checkedSeconds(value: number): number {
  if (!(Number.isInteger(value) && value >= 0 && value <= LONGEST_SECONDS))
    throw new Error(
      `otherWritersSeconds is a whole number of seconds from 0 to ${LONGEST_SECONDS}`,
    );
  return value;
}

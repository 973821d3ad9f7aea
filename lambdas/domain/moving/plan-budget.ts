/** How long one execution of the workflow may go on: Step Functions ends it at 25,000 events. */
import { type Part, rangeIdsOf } from '../datasets/dataset.ts';
import { ANYBODY, type KeyValues } from '../datasets/key-values.ts';

/** The largest number of events of one turn, and of all turns of an execution. */
const EVENTS_PER_TURN = 14;
const MOST_EVENTS = 20_000;
/** Turns of all workers together in one execution. */
export const MOST_TURNS = Math.floor(MOST_EVENTS / EVENTS_PER_TURN);

/**
 * Turns that each worker may take in one execution; the rest goes on in the next attempt. A copy
 * takes the most: it may clear the target in all ranges, copies those that move, and verifies them.
 * Commit, restore and rollback take a part of that. `moving` and `all` are numbers of workers, at
 * most 40 each, so that there are at least eleven turns.
 */
export const turnsOf = (moving: number, all: number): number =>
  Math.floor(MOST_TURNS / Math.max(1, 2 * moving + all));

/** A receipt is one item of at most 400 KB, and names every range that was found empty. */
const MOST_NAMES_BYTES = 256 * 1024;

/** Refuses, when the configuration is loaded, more ranges than a receipt can name. */
export function checkBudget(parts: readonly Part[]): void {
  const says = overBudget(parts, ANYBODY);
  if (says !== undefined) throw new Error(`${says}; declare fewer shards`);
}

/**
 * Why a receipt has no room for this tenant's ranges: each of its installations may have ranges of
 * its own.
 */
export function overBudget(parts: readonly Part[], values: KeyValues): string | undefined {
  const ids = rangeIdsOf(parts, values);
  const bytes = Buffer.byteLength(JSON.stringify(ids));
  if (bytes <= MOST_NAMES_BYTES) return undefined;
  return `a tenant has ${ids.length} ranges, whose names take ${bytes} bytes, and a receipt, which lists them all, has room for ${MOST_NAMES_BYTES}`;
}

/** How many ranges one execution of the workflow has room for: an execution ends for good at 25,000 events. */
import { type Part, rangesOf } from '../datasets/dataset.ts';
import { ANYBODY, type KeyValues } from '../datasets/key-values.ts';

/** Events that one turn leaves in an execution's history, at most, and how many all of them may be. */
const EVENTS_PER_TURN = 14;
const MOST_EVENTS = 20_000;
/** Turns of all ranges together in one execution. */
export const MOST_TURNS = Math.floor(MOST_EVENTS / EVENTS_PER_TURN);

/**
 * Turns that a phase takes when each of its ranges takes one. An attempt visits every range again, the finished ones too, so
 * that each must have one turn in every attempt, or no attempt ever ends. Copying takes the most: it may clear the target
 * of everything, copies what moves, and verifies it. Commit, restore and rollback take a part of that.
 */
export function leastTurns(parts: readonly Part[], values: KeyValues = ANYBODY): number {
  const { moving, all } = countsOf(parts, values);
  return 2 * moving + all;
}

/** Turns that a range may take in one execution; what needs more goes on in the next attempt. */
export const turnsOf = (parts: readonly Part[], values: KeyValues = ANYBODY): number =>
  Math.max(1, Math.floor(MOST_TURNS / Math.max(1, leastTurns(parts, values))));

/** Refuses, when the configuration is loaded, more ranges than a workflow could ever finish. */
export function checkBudget(parts: readonly Part[]): void {
  const says = overBudget(parts, ANYBODY);
  if (says !== undefined) throw new Error(`${says}; declare fewer shards`);
}

/** Why a workflow has no room for this tenant: each of its installations may have ranges of its own. */
export function overBudget(parts: readonly Part[], values: KeyValues): string | undefined {
  const turns = leastTurns(parts, values);
  if (turns <= MOST_TURNS) return undefined;
  const { moving, all } = countsOf(parts, values);
  return `a tenant has ${all} ranges (${moving} in parts that move, ${all - moving} in parts that are dropped), which take ${turns} turns of the workflow, and it has room for ${MOST_TURNS}: three for a range that moves, one for a range that is dropped`;
}

function countsOf(parts: readonly Part[], values: KeyValues) {
  const count = (some: readonly Part[]) => rangesOf(some, values).length;
  return { moving: count(parts.filter(({ policy }) => policy === 'move')), all: count(parts) };
}

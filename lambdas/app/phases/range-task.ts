/** The frame of every task that works on one range: what it is given, whether it is still wanted, and one turn of the work. */
import { type Range, rangeIdsOf } from '../../domain/datasets/dataset.ts';
import { type Migration, valuesOf } from '../../domain/moving/migration.ts';
import type { AppContext } from '../app-context.ts';
import { type Invocation, over, type RangeWork, rangeTurn, type Turn } from './range-turn.ts';
import { expected, type RunKey, rangeInput, rangeOf, runKey } from './task-input.ts';

/** What a task was asked to work on. */
export interface Asked {
  readonly run: RunKey;
  readonly migration: Migration;
  readonly range: Range;
}

/**
 * A task for one range. `workOn` says what is to be done there; `undefined` means that this execution has nothing to do there
 * any more. Throws `PermanentError` where the phase and the attempt are no longer wanted, or the dataset has no such range.
 */
export function rangeTask(
  { ports, settings: { parts } }: AppContext,
  workOn: (asked: Asked) => Promise<RangeWork | undefined>,
): (input: unknown, invocation: Invocation) => Promise<Turn> {
  return async (input, invocation) => {
    const run = runKey(input);
    const { range: id, number, turns } = rangeInput(input);
    const migration = await expected(ports, run);
    const work = await workOn({ run, migration, range: rangeOf(parts, valuesOf(migration), id) });
    if (work === undefined) return over(number + 1);
    const ranges = rangeIdsOf(parts, valuesOf(migration));
    return rangeTurn(ports, { ...work, migration, range: id, ranges, number, turns }, invocation);
  };
}

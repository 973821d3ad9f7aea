/**
 * The frame of every task that works on ranges: parses its input, checks that it is still wanted,
 * and runs one turn of a worker.
 */
import { type Range, rangesOf } from '../../domain/datasets/dataset.ts';
import { type Migration, realmOfPhase, valuesOf } from '../../domain/moving/migration.ts';
import type { RangeRecord, Work } from '../../domain/moving/range-record.ts';
import { workerId } from '../../domain/moving/workers.ts';
import type { AppContext } from '../app-context.ts';
import { type Invocation, type RangeWork, rangeTurn } from './range-turn.ts';
import { expected, movingRanges, type RunKey, runKey, workerInput } from './task-input.ts';
import { type Turn, workerTurn } from './worker-turn.ts';

/** The call of a task for one range. */
export interface Asked {
  readonly run: RunKey;
  readonly migration: Migration;
  readonly range: Range;
  readonly work: Work;
  /** As it is stored, which may be of another work; `undefined` before the first. */
  readonly record: RangeRecord | undefined;
}

/** A task of the workflow. */
export interface RangeTask {
  /** The ranges of all parts, or of those that move. */
  readonly on: 'all' | 'moving';
  /**
   * The work on the range with this record; `undefined` where this execution has nothing to do on
   * it.
   */
  readonly workOf: (record: RangeRecord | undefined, run: RunKey) => Work | undefined;
  /** How it is done; `undefined` where this execution has nothing to do on any range. */
  readonly how: (asked: Asked) => Promise<Omit<RangeWork, 'work'> | undefined>;
}

/** Throws `PermanentError` where the phase and the attempt are no longer wanted. */
export function rangeTask(
  context: AppContext,
  { on, workOf, how }: RangeTask,
): (input: unknown, invocation: Invocation) => Promise<Turn> {
  const { ports, settings } = context;
  const { parts } = settings;
  return async (input, invocation) => {
    const run = runKey(input);
    const given = workerInput(input);
    const migration = await expected(ports, run);
    if (given === undefined) return { number: 1, over: true, waitSeconds: 0 };
    const realm = realmOfPhase(migration, run.phase);
    const shift = {
      ...given,
      number: given.number + 1,
      id: workerId(run, given.worker),
      migration,
      realm,
      ranges: (on === 'all' ? rangesOf : movingRanges)(parts, valuesOf(migration)),
      isOver(record: RangeRecord | undefined) {
        const work = workOf(record, run);
        return work === undefined || (record?.work === work && record.done);
      },
    };
    return workerTurn(
      context,
      {
        ...shift,
        async turnOn(range, limits) {
          const stored = await ports.rangeRecords.read(realm, migration, range.id);
          const work = workOf(stored, run);
          if (work === undefined) return { over: true, waitSeconds: 0, isIdle: true };
          const done = await how({ run, migration, range, work, record: stored });
          if (done === undefined) return undefined;
          const plan = {
            ...done,
            ...limits,
            work,
            migration,
            range: range.id,
            worker: shift.id,
          };
          return rangeTurn(ports, plan, invocation);
        },
      },
      invocation,
    );
  };
}

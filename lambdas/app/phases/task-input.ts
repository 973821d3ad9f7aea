/** Parses a task's input, and reads the ledger to see whether the task is still wanted. */

import { type Part, type Range, rangesOf } from '../../domain/datasets/dataset.ts';
import type { KeyValues } from '../../domain/datasets/key-values.ts';
import {
  type Migration,
  PHASES_OF,
  type Phase,
  realmOfPhase,
  valuesOf,
} from '../../domain/moving/migration.ts';
import { turnsOf } from '../../domain/moving/plan-budget.ts';
import { type Worker, workersFor } from '../../domain/moving/workers.ts';
import { PermanentError } from '../../domain/refusal.ts';
import type { Ports, Run } from '../../ports.ts';
import type { AppContext } from '../app-context.ts';

/**
 * Only the key, the phase and the attempt are used. Tenant data, realms and status come from the
 * ledger, because anyone who may start executions can forge an input.
 */
export type RunKey = Omit<Run, 'realm'>;

const PHASES: readonly string[] = [
  'ahead',
  'copy',
  'commit',
  'restore',
  'rollback',
] satisfies readonly Phase[];
const isPhase = (value: unknown): value is Phase =>
  typeof value === 'string' && PHASES.includes(value);

/** Parses the input of an execution; throws `PermanentError` for anything else. */
export function runKey(input: unknown): RunKey {
  const fields: Record<string, unknown> = { ...(typeof input === 'object' ? input : {}) };
  const { ledger, tenant, migration, phase, attempt } = fields;
  if (
    typeof ledger !== 'string' ||
    typeof tenant !== 'string' ||
    typeof migration !== 'string' ||
    !isCount(attempt) ||
    !isPhase(phase)
  ) {
    throw new PermanentError('the input does not name a migration, a phase and an attempt');
  }
  return { ledger, tenant, id: migration, phase, attempt };
}

/** The input of a task on ranges, beside the key. */
export interface WorkerInput {
  readonly worker: Worker;
  /** Turns that this worker has had. */
  readonly number: number;
  readonly turns: number;
}

/**
 * `undefined` for an iteration of a Map that an earlier version has begun, with one range each: it
 * does nothing any more, and the next attempt goes on.
 */
export function workerInput(input: unknown): WorkerInput | undefined {
  const { worker, range, turns, turn }: Record<string, unknown> = { ...Object(input) };
  if (range !== undefined) return undefined;
  const { number, of }: Record<string, unknown> = { ...Object(worker) };
  const { number: had }: Record<string, unknown> = { ...Object(turn) };
  const isWorker = isCount(number) && isCount(of) && number < of;
  if (!isWorker || typeof turns !== 'number' || typeof had !== 'number')
    throw new PermanentError('the input does not name a worker and a turn');
  return { worker: { number, of }, number: had, turns };
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0;

/**
 * The migration, if this phase and attempt are still the present ones; `PermanentError` otherwise.
 */
export async function expected(
  { migrations }: Pick<Ports, 'migrations'>,
  run: RunKey,
): Promise<Migration> {
  const migration = await migrations.read(run);
  if (migration === undefined) throw new PermanentError(`migration ${run.id} is not on record`);
  const isAtHand =
    migration.phase === run.phase &&
    migration.attempt === run.attempt &&
    PHASES_OF[migration.status]?.includes(run.phase);
  if (!isAtHand) {
    throw new PermanentError(
      `phase ${run.phase}, attempt ${run.attempt} of migration ${run.id} is no longer wanted: it is ${migration.status}, phase ${migration.phase}, attempt ${migration.attempt}`,
    );
  }
  if (migration.halted)
    throw new PermanentError(`migration ${run.id} is halted: ${migration.halted}`);
  if (migration.source === migration.target)
    throw new PermanentError(`migration ${run.id} has nothing to move`);
  return migration;
}

/** The input of the Map states of a phase. */
export interface Plan {
  readonly waitSeconds: number;
  /** Not yet: the workflow waits, and asks again. */
  readonly again: boolean;
  readonly unclean: boolean;
  /** Workers for all ranges, and for those of parts that move. */
  readonly ranges: readonly Worker[];
  readonly moving: readonly Worker[];
  /** Turns that a worker may take in one execution; the rest goes on in the next attempt. */
  readonly turns: number;
}

/**
 * The plan for the tenant of this migration, with the operator's present settings for the realm
 * that the phase changes.
 */
export async function plan(
  { ports, settings: { parts, concurrency: byDefault } }: AppContext,
  migration: Migration,
  phase: Phase,
  rest: Partial<Plan> = {},
): Promise<Plan> {
  const values = valuesOf(migration);
  const { concurrency = byDefault } = await ports.settings.read(
    realmOfPhase(migration, phase),
    migration.tenant,
  );
  const ranges = workersFor(rangesOf(parts, values).length, concurrency);
  const moving = workersFor(movingRanges(parts, values).length, concurrency);
  const turns = turnsOf(moving.length, ranges.length);
  return { ...IDLE, ranges, moving, turns, ...rest };
}

/** No range has anything to do. */
export const IDLE: Plan = {
  waitSeconds: 0,
  again: false,
  unclean: false,
  ranges: [],
  moving: [],
  turns: 1,
};

/** The phase cannot begin yet: the workflow waits, and asks again. */
export const notYet = (waitSeconds: number): Plan => ({ ...IDLE, again: true, waitSeconds });

export const movingRanges = (parts: readonly Part[], values: KeyValues): readonly Range[] =>
  rangesOf(
    parts.filter(({ policy }) => policy === 'move'),
    values,
  );

export function rangeOf(parts: readonly Part[], values: KeyValues, id: string): Range {
  const range = rangesOf(parts, values).find((candidate) => candidate.id === id);
  if (range === undefined) throw new PermanentError(`the dataset has no range ${id}`);
  return range;
}

/**
 * Whole seconds from now until `seconds` after `since` (epoch milliseconds). Never more than
 * `seconds`, also after a clock was set back: waiting that long from now is always enough.
 */
export const secondsLeft = (since: number, seconds: number, now: number): number =>
  Math.min(Math.ceil(seconds), Math.max(0, Math.ceil((since + seconds * 1000 - now) / 1000)));

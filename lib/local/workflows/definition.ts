/** Reads the ASL file that CDK deploys for the local interpreter. */
import { readFileSync } from 'node:fs';
import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import { substitutionOf, WORKFLOW_TASKS } from '../../routes.ts';

export interface Definition {
  readonly states: StateMachineDefinition;
  /** The task of each Task state, by the state's name; states within a Map included. */
  readonly taskOf: ReadonlyMap<string, string>;
  /** The Map around a state, for states within a Map. */
  readonly mapOf: ReadonlyMap<string, string>;
}

/** The largest number of iterations that an inline Map runs at once. */
const MAX_CONCURRENCY = 40;

export const ASL_FILE = new URL('../../realm-migration.asl.json', import.meta.url);

/**
 * `retrySpeed` divides every retrier's waiting time, for tests. Throws where the file names an
 * unknown task, or two states alike: the interpreter finds a task by its state's name, as Step
 * Functions does.
 */
export function readDefinition(
  text: string = readFileSync(ASL_FILE, 'utf8'),
  retrySpeed = 1,
): Definition {
  const definition: unknown = JSON.parse(text);
  if (!isDefinition(definition)) throw new Error('the definition has no States');
  const taskOf = new Map<string, string>();
  const mapOf = new Map<string, string>();
  const names = new Set<string>();

  const visit = (states: StateMachineDefinition['States'], map: string | undefined): void => {
    for (const [name, state] of Object.entries(states)) {
      if (names.has(name)) throw new Error(`two states are called "${name}"`);
      names.add(name);
      if (map !== undefined) mapOf.set(name, map);
      if (state.Type === 'Task') taskOf.set(name, taskNamed(state.Resource));
      for (const retrier of 'Retry' in state ? (state.Retry ?? []) : [])
        hasten(retrier, retrySpeed);
      if (state.Type !== 'Map') continue;
      state.MaxConcurrency = Math.min(state.MaxConcurrency || MAX_CONCURRENCY, MAX_CONCURRENCY);
      visit((state.ItemProcessor ?? state.Iterator)?.States ?? {}, name);
    }
  };
  visit(definition.States, undefined);
  return { states: definition, taskOf, mapOf };
}

const isDefinition = (value: unknown): value is StateMachineDefinition =>
  typeof value === 'object' && value !== null && 'States' in value && 'StartAt' in value;

function taskNamed(resource: string): string {
  const task = WORKFLOW_TASKS.find((candidate) => resource === `\${${substitutionOf(candidate)}}`);
  if (task === undefined) throw new Error(`no task is substituted for "${resource}"`);
  return task;
}

function hasten(
  retrier: { IntervalSeconds?: number; MaxDelaySeconds?: number },
  speed: number,
): void {
  retrier.IntervalSeconds = (retrier.IntervalSeconds ?? 1) / speed;
  if (retrier.MaxDelaySeconds !== undefined) retrier.MaxDelaySeconds /= speed;
}

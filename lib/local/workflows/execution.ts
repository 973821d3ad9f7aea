/** One execution of a state machine: its states, its history and its end. */

import type { StateMachine } from 'aws-local-stepfunctions';
import { defined } from '../../../lambdas/domain/defined.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** One event. `index` is the iteration's, within a Map. Epoch milliseconds. */
export interface Moment {
  readonly at: number;
  readonly what: 'entered' | 'failed' | 'retried' | 'caught';
  readonly state: string;
  readonly index?: number;
  readonly error?: string;
}

export interface Execution {
  readonly realm: Realm;
  readonly arn: string;
  readonly name: string;
  /** JSON, as it was given. */
  readonly input: string;
  readonly startDate: number;
  readonly status: ExecutionStatus;
  readonly stopDate?: number;
  /** JSON. */
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
  /** The states in which it is: one, and those of all iterations within a Map. */
  readonly states: readonly string[];
  readonly history: readonly Moment[];
  /** Number of events, as Step Functions counts them. */
  readonly events: number;
}

type Event =
  ReturnType<StateMachine['run']>['eventLogs'] extends AsyncGenerator<infer E> ? E : never;

/** Step Functions ends an execution with more events, or with larger input or output of a state. */
export const MAX_EVENTS = 25_000;
export const MAX_STATE_BYTES = 256 * 1024;

export const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value ?? null));

/** Follows the interpreter's events: keeps the states, the history and the number of events. */
export class ExecutionTrace {
  readonly history: Moment[] = [];
  /** Maps with a failed iteration: no task is started in them any more. */
  readonly failedMaps = new Set<string>();
  events = 0;
  #root: string | undefined;
  readonly #iterations = new Map<number, string>();

  get states(): readonly string[] {
    const inside = [...new Set(this.#iterations.values())];
    return this.#root === undefined ? inside : [this.#root, ...inside];
  }

  follow(event: Event): void {
    this.events += 1;
    const at = event.timestamp;
    switch (event.type) {
      case 'StateEntered': {
        const { name: state, type } = event.state;
        if (event.index === undefined) this.#enter(state);
        else this.#iterations.set(event.index, state);
        if (type === 'Task') this.events += 3; // scheduled, started, and its end
        if (type === 'Map') this.events += 2;
        this.history.push({
          at,
          what: 'entered',
          state,
          ...defined({ index: event.index }),
        });
        break;
      }
      case 'StateRetried':
        this.events += 2; // one of the three is counted already
        this.history.push({ at, what: 'retried', state: event.state.name });
        break;
      case 'StateCaught':
        this.history.push({ at, what: 'caught', state: event.state.name });
        break;
      case 'StateFailed':
        this.events -= 1; // the end of its task is counted already
        this.history.push({ at, what: 'failed', state: event.state.name, error: event.Error });
        break;
      case 'MapIterationFailed':
        this.failedMaps.add(event.parentState.name);
        this.#iterations.delete(event.index);
        break;
      case 'MapIterationSucceeded':
        this.#iterations.delete(event.index);
        break;
    }
  }

  end(): void {
    this.#root = undefined;
    this.#iterations.clear();
  }

  #enter(state: string): void {
    this.#root = state;
    this.#iterations.clear();
    this.failedMaps.delete(state);
  }
}

/** What is known of one execution of a state machine while it runs, and afterwards. */
import type { StateMachine } from 'aws-local-stepfunctions';
import type { Realm } from '../../../lambdas/domain/realm.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** One thing that happened: `index` is the iteration's, within a Map. Epoch milliseconds. */
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
  /** The states that it is in: one, and within a Map those of its iterations. */
  readonly states: readonly string[];
  readonly history: readonly Moment[];
  /** As Step Functions would count them. */
  readonly events: number;
}

type Event =
  ReturnType<StateMachine['run']>['eventLogs'] extends AsyncGenerator<infer E> ? E : never;

/** Step Functions ends an execution that has more events, and one whose state is larger. */
export const MAX_EVENTS = 25_000;
export const MAX_STATE_BYTES = 256 * 1024;

export const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value ?? null));

/** Follows the interpreter's events: where the execution is, what it has been through, how many events that makes. */
export class ExecutionTrace {
  readonly history: Moment[] = [];
  /** Maps of which an iteration has failed for good: nothing new is started in them. */
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
        if (type === 'Task') this.events += 3; // scheduled, started, and how it ended
        if (type === 'Map') this.events += 2;
        this.history.push({
          at,
          what: 'entered',
          state,
          ...(event.index !== undefined && { index: event.index }),
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
        this.events -= 1; // how a task ended is counted already
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

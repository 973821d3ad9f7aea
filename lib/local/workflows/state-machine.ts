/** One realm's state machine: starts, stops and keeps executions as Step Functions does. */

import { setImmediate } from 'node:timers/promises';
import { ExecutionError, ExecutionTimeoutError, StateMachine } from 'aws-local-stepfunctions';
import { defined } from '../../../lambdas/domain/defined.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Log } from '../../../lambdas/ports.ts';
import { isDeeperThan } from '../json-depth.ts';
import { UnwritableDataDir } from '../unwritable.ts';
import type { Definition } from './definition.ts';
import {
  bytesOf,
  type Execution,
  type ExecutionStatus,
  ExecutionTrace,
  MAX_EVENTS,
  MAX_STATE_BYTES,
} from './execution.ts';
import { executionJournal, type JournalEntry } from './execution-journal.ts';

/** The state machine of a realm, and how it calls the realm's functions. */
export interface MachineOptions {
  readonly realm: Realm;
  /** `arn:aws:states:{region}:{account}:stateMachine:{name}` */
  readonly arn: string;
  /** Runs a task by its file's name (`copy-range`), with the task's own timeout. */
  readonly runTask: (task: string, input: unknown) => Promise<unknown>;
  /** Called when an execution is FAILED, TIMED_OUT or ABORTED. */
  readonly onFailedExecution: (execution: Execution) => void;
  /** The directory that keeps the names over restarts. */
  readonly dataDir?: string;
  /**
   * Called when a name could not be written to disk: it is closed in this run, but may be open in
   * the next.
   */
  readonly onUnwritable?: (error: UnwritableDataDir) => void;
  readonly log?: Log;
}

/** An error of the Step Functions API, with its name. */
export class StatesError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** An error that neither Retry nor Catch can match; the interpreter reads `isRetryable`. */
class Final extends StatesError {
  readonly isRetryable = false;
  readonly isCatchable = false;
}

/** Far more than an input of ours has, and far less than the interpreter's recursions stand. */
const MAX_DEPTH = 100;

type Json = Parameters<StateMachine['run']>[0];

/** The end of an execution that its own states did not reach. */
interface Ending {
  readonly status: ExecutionStatus;
  readonly error?: string;
  readonly cause?: string;
}

interface Running {
  readonly trace: ExecutionTrace;
  abort: () => void;
  ending?: Ending;
}

export type Machine = ReturnType<typeof stateMachine>;

export function stateMachine(definition: Definition, options: MachineOptions) {
  const interpreter = new StateMachine(definition.states, {
    validationOptions: { noValidate: true },
  });
  const journal = executionJournal(options.dataDir, options.realm, (message) =>
    options.log?.warn(message),
  );
  const executions = new Map<string, Execution>();
  const running = new Map<string, Running>();
  const tasks = new Set<Promise<unknown>>();
  for (const entry of journal.entries)
    executions.set(entry.name, afterRestart(entry, executions.get(entry.name)));

  function afterRestart(entry: JournalEntry, opened: Execution | undefined): Execution {
    const { name, at, status, output, error, cause } = entry;
    const input = opened?.input ?? entry.input ?? '{}';
    const base = {
      realm: options.realm,
      arn: arnOf(name),
      name,
      input,
      states: [],
      history: [],
      events: 0,
    };
    // An execution that was running died with the process. Its name is closed, and the janitor
    // starts the next attempt.
    if (status === 'RUNNING')
      return { ...base, startDate: at, status: 'ABORTED', stopDate: at, cause: 'the host stopped' };
    const ended = {
      ...defined({ output, error, cause }),
    };
    return { ...base, startDate: opened?.startDate ?? at, stopDate: at, status, ...ended };
  }

  function arnOf(name: string): string {
    return `${options.arn.replace(':stateMachine:', ':execution:')}:${name}`;
  }

  /**
   * Starts it, or returns the running one of the same name and input. Throws
   * `ExecutionAlreadyExists` for a name that is closed, or has another input.
   */
  function start(name: string, input: string): Execution {
    if (!/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u.test(name)) {
      throw new StatesError('InvalidName', `Invalid Name: '${name}'`);
    }
    const known = executions.get(name);
    if (known && running.has(name) && known.input === input) return current(known);
    if (known)
      throw new StatesError('ExecutionAlreadyExists', `Execution Already Exists: '${known.arn}'`);
    const parsed = parseInput(input);

    const execution: Execution = {
      realm: options.realm,
      arn: arnOf(name),
      name,
      input,
      startDate: Date.now(),
      status: 'RUNNING',
      states: [],
      history: [],
      events: 0,
    };
    record({ name, status: 'RUNNING', at: execution.startDate, input });
    executions.set(name, execution);
    run(execution, parsed);
    return current(execution);
  }

  function record(entry: JournalEntry): void {
    try {
      journal.append(entry);
    } catch (error) {
      if (error instanceof UnwritableDataDir) options.onUnwritable?.(error);
      throw error;
    }
  }

  function run(execution: Execution, input: Json): void {
    const self: Running = { trace: new ExecutionTrace(), abort: () => undefined };
    running.set(execution.name, self);
    const handlers = Object.fromEntries(
      [...definition.taskOf].map(([state, task]) => [
        state,
        (taskInput: unknown) => runTask(execution.name, self, state, task, taskInput),
      ]),
    );
    const { abort, result, eventLogs } = interpreter.run(input, {
      overrides: { taskResourceLocalHandlers: handlers },
    });
    self.abort = abort;
    void follow(self, eventLogs);
    result.then(
      (output) => end(execution, self, { status: 'SUCCEEDED' }, output),
      (error: unknown) => end(execution, self, self.ending ?? endingOf(error)),
    );
  }

  async function follow(
    self: Running,
    events: ReturnType<StateMachine['run']>['eventLogs'],
  ): Promise<void> {
    for await (const event of events) {
      self.trace.follow(event);
      if (event.type === 'StateEntered' && bytesOf(event.state.input) > MAX_STATE_BYTES) {
        finish(self, {
          status: 'FAILED',
          error: 'States.DataLimitExceeded',
          cause: `the input of "${event.state.name}" is larger than 256 KB`,
        });
      }
      if (self.trace.events > MAX_EVENTS) {
        finish(self, {
          status: 'FAILED',
          error: 'States.Runtime',
          cause: `the execution reached the maximum number of history events (${MAX_EVENTS})`,
        });
      }
    }
  }

  function finish(self: Running, ending: Ending): void {
    self.ending ??= ending;
    self.abort();
  }

  async function runTask(
    name: string,
    self: Running,
    state: string,
    task: string,
    input: unknown,
  ): Promise<Json> {
    // After an iteration of a Map has failed, the interpreter would still start the rest. It
    // reports the failure a tick later.
    await setImmediate();
    const map = definition.mapOf.get(state);
    if (
      !running.has(name) ||
      self.ending ||
      (map !== undefined && self.trace.failedMaps.has(map))
    ) {
      throw new Final('Aborted', `"${state}" is not started any more`);
    }
    limited(input, `the input of "${state}"`);
    const done = options.runTask(task, structuredClone(input));
    tasks.add(done);
    try {
      const output: Json = JSON.parse(JSON.stringify((await done) ?? null));
      limited(output, `the output of "${state}"`);
      return output;
    } catch (error) {
      throw error instanceof Final ? error : asLambdaTells(error);
    } finally {
      tasks.delete(done);
    }
  }

  function end(execution: Execution, self: Running, ending: Ending, output?: unknown): void {
    if (!running.delete(execution.name)) return;
    self.trace.end();
    const stopDate = Date.now();
    const { history, events } = self.trace;
    const outcome = { ...ending, ...(output !== undefined && { output: JSON.stringify(output) }) };
    const ended: Execution = { ...execution, ...outcome, stopDate, states: [], history, events };
    executions.set(execution.name, ended);
    try {
      record({ name: execution.name, at: stopDate, ...outcome });
    } catch (error) {
      options.log?.error(`the end of execution ${ended.name} is not on disk: ${String(error)}`);
    }
    if (ended.status !== 'SUCCEEDED') {
      options.log?.warn(`execution ${ended.name} ended as ${ended.status}`, {
        realm: options.realm,
        error: ended.error,
        cause: ended.cause?.slice(0, 200), // a stack follows
      });
      options.onFailedExecution(ended);
    }
  }

  function current(execution: Execution): Execution {
    const self = running.get(execution.name);
    if (!self) return execution;
    const { states, history, events } = self.trace;
    return { ...execution, states, history: [...history], events };
  }

  function named(name: string): Execution {
    const execution = executions.get(name);
    if (!execution)
      throw new StatesError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arnOf(name)}'`);
    return current(execution);
  }

  /** Aborts it, if it still runs. Its running tasks go on to their end, as Lambdas do. */
  function stop(name: string, reason: Pick<Ending, 'error' | 'cause'> = {}): Execution {
    const self = running.get(named(name).name);
    if (self) finish(self, { status: 'ABORTED', ...reason });
    return named(name);
  }

  return {
    arn: options.arn,
    realm: options.realm,
    start,
    named,
    stop,
    /** Newest first. */
    list: (): readonly Execution[] => [...executions.values()].reverse().map(current),
    /**
     * Aborts all without `onFailedExecution`, as when a machine is switched off, and waits a moment
     * for running tasks.
     */
    async close(graceMs = 2_000): Promise<void> {
      const aborted = [...running.values()];
      running.clear();
      for (const self of aborted) finish(self, { status: 'ABORTED' });
      await Promise.race([
        Promise.allSettled(tasks),
        new Promise((resolve) => setTimeout(resolve, graceMs).unref()),
      ]);
    },
  };
}

function parseInput(input: string): Json {
  if (Buffer.byteLength(input) > MAX_STATE_BYTES) {
    throw new StatesError(
      'InvalidExecutionInput',
      'Invalid State Machine Execution Input: it is larger than 256 KB',
    );
  }
  const parsed = jsonOf(input);
  if (isDeeperThan(MAX_DEPTH, parsed)) {
    throw new StatesError(
      'InvalidExecutionInput',
      `Invalid State Machine Execution Input: it has more than ${MAX_DEPTH} levels`,
    );
  }
  return parsed;
}

function jsonOf(input: string): Json {
  try {
    return JSON.parse(input);
  } catch (error) {
    throw new StatesError(
      'InvalidExecutionInput',
      `Invalid State Machine Execution Input: '${String(error)}'`,
    );
  }
}

function endingOf(error: unknown): Ending {
  if (error instanceof ExecutionTimeoutError)
    return { status: 'TIMED_OUT', error: 'States.Timeout' };
  const reason = error instanceof ExecutionError ? error.cause : error;
  if (reason instanceof Error)
    return { status: 'FAILED', error: reason.name, cause: reason.message };
  return { status: 'FAILED', error: 'States.Runtime', cause: String(reason) };
}

function limited(value: unknown, what: string): void {
  if (bytesOf(value) > MAX_STATE_BYTES)
    throw new Final('States.DataLimitExceeded', `${what} is larger than 256 KB`);
}

/** Retry and Catch match the name; the cause is the JSON that Lambda makes of an error. */
function asLambdaTells(error: unknown): StatesError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return new StatesError(
    name,
    JSON.stringify({ errorType: name, errorMessage: message, trace: stack?.split('\n') ?? [] }),
  );
}

/**
 * A small interpreter of the realm-migration workflow: the states of each phase, in the order of
 * the ASL file.
 */
import type { Invocation } from '../../lambdas/app/phases/range-turn.ts';
import type { Plan } from '../../lambdas/app/phases/task-input.ts';
import type { Turn } from '../../lambdas/app/phases/worker-turn.ts';
import type { Worker } from '../../lambdas/domain/moving/workers.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { PermanentError } from '../../lambdas/domain/refusal.ts';
import type { Run } from '../../lambdas/ports.ts';
import type { ManualClock } from './clock.ts';
import type { InMemoryWorkflows } from './in-memory-workflows.ts';
import type { RealmApp } from './memory-app.ts';

export type Ending = 'succeeded' | 'failed';

export interface WorkflowOptions {
  /** What a Wait state and a retrier's pause do; the default moves the clock. */
  readonly wait?: (milliseconds: number) => Promise<void> | void;
  /**
   * True: works on all ranges of a Map at once, as Step Functions does. Default: one after the
   * other.
   */
  readonly parallel?: boolean;
  /**
   * Wraps every invocation of a task, with the name of the task; may refuse to call it, or throw
   * after it.
   */
  readonly invoke?: (task: string, call: () => Promise<unknown>) => Promise<unknown>;
  /**
   * How often a task is tried that throws anything but `PermanentError`; default: as the retriers
   * do.
   */
  readonly tries?: number;
}

/** The largest timeout of a Lambda. */
const LONGEST_INVOCATION = 300_000;
const TRIES = 9;
const MOST_EXECUTIONS = 200;

export function workflowRunner(
  realm: (name: Realm) => RealmApp,
  workflows: InMemoryWorkflows,
  clock: ManualClock,
) {
  let invocations = 0;

  /**
   * Runs one execution to its end, and records that in the workflow. Returns how it ended; `settle`
   * is not called.
   */
  async function runWorkflow(run: Run, options: WorkflowOptions = {}): Promise<Ending> {
    const ending = await interpret(run, options).then(
      () => 'succeeded' as const,
      () => 'failed' as const,
    );
    workflows.close(run, ending);
    return ending;
  }

  /**
   * Runs what was started, and what that starts, until nothing runs. `settle` is called for a
   * failed run, as by EventBridge.
   */
  async function runAll(
    options: WorkflowOptions = {},
  ): Promise<readonly (readonly [Run, Ending])[]> {
    const ended: (readonly [Run, Ending])[] = [];
    for (let [run] = workflows.running(); run !== undefined; [run] = workflows.running()) {
      const ending = await runWorkflow(run, options);
      ended.push([run, ending]);
      if (ended.length > MOST_EXECUTIONS)
        throw new Error('the workflow starts itself again for ever');
      if (ending === 'failed') await realm(run.realm).settle(inputOf(run), 'FAILED');
    }
    return ended;
  }

  async function interpret(run: Run, options: WorkflowOptions): Promise<void> {
    const { tasks } = realm(run.realm);
    const input = inputOf(run);
    const wait = options.wait ?? ((milliseconds: number) => clock.advance(milliseconds));

    /**
     * A task with its retriers: `PermanentError` ends it, anything else is tried again after a
     * pause.
     */
    async function task<T>(name: string, call: (invocation: Invocation) => Promise<T>): Promise<T> {
      for (let failures = 0; ; failures += 1) {
        invocations += 1;
        const invocation = {
          id: `invocation-${invocations}`,
          deadline: clock.now() + LONGEST_INVOCATION,
        };
        try {
          let result: { readonly value: T } | undefined;
          const invoked = async () => {
            result = { value: await call(invocation) };
          };
          await (options.invoke?.(name, invoked) ?? invoked());
          if (result === undefined) throw new Error(`${name} was not called`);
          return result.value;
        } catch (error) {
          const isLast = failures + 1 >= (options.tries ?? TRIES);
          if (error instanceof PermanentError || isLast) throw error;
          await wait(Math.min(2_000 * 2 ** failures, 60_000));
        }
      }
    }

    async function each(
      name: string,
      workers: readonly Worker[],
      { turns }: Plan,
      call: (input: object, invocation: Invocation) => Promise<Turn>,
    ): Promise<void> {
      const oneWorker = async (worker: Worker) => {
        let turn: { readonly number: number; readonly over?: boolean } = { number: 0 };
        while (!turn.over) {
          const of = { ...input, worker, turns, turn };
          const next: Turn = await task(name, (invocation) => call(of, invocation));
          if (!next.over) await wait(next.waitSeconds * 1000);
          turn = next;
        }
      };
      if (options.parallel) await Promise.all(workers.map(oneWorker));
      else for (const worker of workers) await oneWorker(worker);
    }

    /** Asks again for as long as the plan has to wait for workers. */
    async function planned(
      name: string,
      begin: (invocation: Invocation) => Promise<Plan>,
    ): Promise<Plan> {
      for (;;) {
        const plan = await task(name, begin);
        if (!plan.again) return plan;
        await wait(plan.waitSeconds * 1000);
      }
    }

    async function ahead(): Promise<void> {
      let failure: { readonly error: unknown } | undefined;
      try {
        const prepare = (invocation: Invocation) => tasks.prepareAhead(input, invocation);
        const plan = await planned('prepareAhead', prepare);
        if (plan.unclean) await each('clearTargetRange', plan.ranges, plan, tasks.clearTargetRange);
        await each('copyAheadRange', plan.moving, plan, tasks.copyAheadRange);
      } catch (error) {
        failure = { error };
      }
      const caught = failure && { failure: failureOf(failure.error) };
      await task('finishAhead', () => tasks.finishAhead({ ...input, ...caught }));
    }

    async function copy(): Promise<void> {
      const prepare = (invocation: Invocation) => tasks.prepareCopy(input, invocation);
      const plan = await planned('prepareCopy', prepare);
      if (plan.unclean) await each('clearTargetRange', plan.ranges, plan, tasks.clearTargetRange);
      await wait(plan.waitSeconds * 1000);
      await each('copyRange', plan.moving, plan, tasks.copyRange);
      await each('verifyRange', plan.moving, plan, tasks.verifyRange);
      await task('finishCopy', () => tasks.finishCopy(input));
    }

    /** Every state of the copy has a catcher, which records the failure. */
    async function copyOrFail(): Promise<void> {
      try {
        await copy();
      } catch (error) {
        const failure = failureOf(error);
        await task('failMigration', () => tasks.failMigration({ ...input, failure }));
        throw error;
      }
    }

    async function commit(): Promise<void> {
      const plan = await task('beginCommit', () => tasks.beginCommit(input));
      await wait(plan.waitSeconds * 1000);
      await each('verifyRange', plan.moving, plan, tasks.verifyRange);
      await task('passPointOfNoReturn', () => tasks.passPointOfNoReturn(input));
      await each('purgeSourceRange', plan.ranges, plan, tasks.purgeSourceRange);
      await task('finishCommit', () => tasks.finishCommit(input));
    }

    async function restore(): Promise<void> {
      const plan = await planned('beginRestore', () => tasks.beginRestore(input));
      await wait(plan.waitSeconds * 1000);
      await each('restoreSourceRange', plan.moving, plan, tasks.restoreSourceRange);
      await each('verifyRange', plan.moving, plan, tasks.verifyRange);
      await task('finishRestore', () => tasks.finishRestore(input));
    }

    async function rollback(): Promise<void> {
      const plan = await planned('beginRollback', () => tasks.beginRollback(input));
      await wait(plan.waitSeconds * 1000);
      await task('releaseSource', () => tasks.releaseSource(input));
      await each('discardTargetRange', plan.ranges, plan, tasks.discardTargetRange);
      await task('finishRollback', () => tasks.finishRollback(input));
    }

    await { ahead, copy: copyOrFail, commit, restore, rollback }[run.phase]();
  }

  return { runWorkflow, runAll };
}

/** The input of a run's execution, and of `settle`. */
export const inputOf = ({ ledger, tenant, id, phase, attempt }: Run) => ({
  ledger,
  tenant,
  migration: id,
  phase,
  attempt,
});

/** The error of a Lambda, as Step Functions gives it to a catcher. */
function failureOf(error: unknown) {
  const { name, message } = error instanceof Error ? error : new Error('unknown');
  return { Error: name, Cause: JSON.stringify({ errorType: name, errorMessage: message }) };
}

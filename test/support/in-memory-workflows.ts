/**
 * The state machines of all realms, as far as starts go: which runs there are, and which have
 * ended.
 */
import { executionName } from '../../lambdas/adapters/execution-name.ts';
import type { Run, Workflows } from '../../lambdas/ports.ts';
import { frozen } from './frozen.ts';
import { type Hooks, keyOf } from './in-memory-cells.ts';

export type RunState = 'running' | 'succeeded' | 'failed';

export interface RecordedRun {
  readonly name: string;
  readonly run: Run;
  readonly state: RunState;
}

/** Further functions for tests; none of them takes a step. */
export interface InMemoryWorkflows extends Workflows {
  /** In the order of their starts; a repeated start of a run adds none. */
  runs(): readonly RecordedRun[];
  running(): readonly Run[];
  /** Ends a run; its name stays taken. */
  close(run: Run, state: Exclude<RunState, 'running'>): void;
}

export function inMemoryWorkflows(hooks: Hooks = {}): InMemoryWorkflows {
  const runs = new Map<string, RecordedRun>();
  const keyOfRun = (run: Run) => keyOf(run.realm, executionName(run));

  return {
    async start(wanted) {
      const run = frozen(wanted);
      const name = executionName(run);
      const { realm, phase, attempt, tenant, id } = run;
      const detail = `${tenant} ${id} ${phase} ${attempt}`;
      const operation = {
        port: 'workflows',
        name: 'start',
        realm,
        detail,
        access: 'write',
      } as const;
      await hooks.step?.(operation);
      const found = runs.get(keyOfRun(run));
      if (found === undefined)
        runs.set(keyOfRun(run), Object.freeze({ name, run, state: 'running' as const }));
      await hooks.after?.(operation);
      return found === undefined || found.state === 'running' ? 'running' : 'closed';
    },

    runs: () => [...runs.values()],
    running: () =>
      [...runs.values()].filter(({ state }) => state === 'running').map(({ run }) => run),
    close(run, state) {
      const found = runs.get(keyOfRun(run));
      if (found === undefined) throw new Error(`no execution is called ${executionName(run)}`);
      if (found.state === 'running') runs.set(keyOfRun(run), Object.freeze({ ...found, state }));
    },
  };
}

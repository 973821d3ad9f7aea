/**
 * Thousands of ranges through the state machine that is deployed, under the limits of Step
 * Functions.
 */
import { describe, expect, test } from 'vitest';
import type { Invocation } from '../../lambdas/app/phases/range-turn.ts';
import type { Part } from '../../lambdas/domain/datasets/dataset.ts';
import { readDefinition } from '../../lib/local/workflows/definition.ts';
import { type Execution, MAX_EVENTS } from '../../lib/local/workflows/execution.ts';
import { type Machine, stateMachine } from '../../lib/local/workflows/state-machine.ts';
import { tenantRecord } from '../support/builders.ts';
import { type MemoryApp, memoryApp } from '../support/memory-app.ts';
import { inputOf } from '../support/memory-workflow.ts';
import { move, situation } from '../support/moves.ts';

type Task = (input: unknown, invocation: Invocation) => Promise<unknown>;

/** 5,000 ranges: 24 parts that move and 26 that are dropped, of 100 shards each. */
const PARTS: readonly Part[] = Array.from({ length: 50 }, (_, number) => ({
  kind: 'dynamodb',
  name: `part-${number}`,
  policy: number < 24 ? 'move' : 'drop',
  partitionKey: 'tenant',
  sortKey: { name: 'id', type: 'S' },
  shards: 100,
}));
/** What a write of a range's record takes: some turns pass before a phase is done. */
const WRITE_MS = 40;

/**
 * A tenant with an item in every tenth part, and the state machines of two realms over ports in
 * memory.
 */
function world() {
  const app: MemoryApp = memoryApp({
    parts: PARTS,
    drainSeconds: 0,
    commitGraceSeconds: 0,
    hooks: {
      async step({ name }) {
        if (name === 'putRange') app.clock.advance(WRITE_MS);
      },
    },
  });
  app.tenants.set('us', tenantRecord());
  for (const part of PARTS.filter((_, at) => at % 10 === 0))
    app.datasets.put('us', part.name, {
      tenant: { S: 'tenant-1#07' },
      id: { S: 'item' },
      text: { S: part.name },
    });
  const machines = new Map(app.realms.map((realm) => [realm, machineOf(app, realm)]));

  /** What has been started, and what that starts, to its end; the executions. */
  async function runAll(): Promise<readonly Execution[]> {
    const ended: Execution[] = [];
    for (let [run] = app.workflows.running(); run; [run] = app.workflows.running()) {
      const machine = machines.get(run.realm);
      if (machine === undefined) throw new Error(`realm ${run.realm} has no state machine`);
      const name = `${run.phase}-${run.attempt}`;
      machine.start(name, JSON.stringify(inputOf(run)));
      await expect.poll(() => machine.named(name).status, { interval: 20 }).not.toBe('RUNNING');
      const execution = machine.named(name);
      ended.push(execution);
      app.workflows.close(run, execution.status === 'SUCCEEDED' ? 'succeeded' : 'failed');
    }
    return ended;
  }

  return { app, migration: move(app), runAll };
}

function machineOf(app: MemoryApp, realm: string): Machine {
  let invocations = 0;
  return stateMachine(readDefinition(), {
    realm,
    arn: `arn:aws:states:${realm}:000000000000:stateMachine:many`,
    async runTask(task, input) {
      const name = task.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
      const tasks: Readonly<Record<string, Task>> = app.realm(realm).tasks;
      invocations += 1;
      const id = `${realm}-${invocations}`;
      return tasks[name]?.(input, { id, deadline: app.clock.now() + 300_000 });
    },
    onFailedExecution: () => undefined,
  });
}

const ended = (executions: readonly Execution[]) =>
  executions.map(({ name, status, error = '', cause = '' }) =>
    [name, status, error, cause.slice(0, 200)].filter((word) => word !== '').join(' '),
  );

describe('a tenant of 5,000 ranges', () => {
  test('is copied, committed and purged within the events that an execution may have', async () => {
    const { app, migration, runAll } = world();
    const items = app.holdings('us');
    await migration.driveTo('copying');
    const copied = await runAll();
    expect(ended(copied)).toEqual(['copy-1 SUCCEEDED']);
    expect(await migration.said.status()).toBe('200 ready-to-commit');
    expect(await migration.said.commit()).toBe('200 committing');
    const committed = await runAll();
    expect(ended(committed)).toEqual(['commit-2 SUCCEEDED']);
    expect(await migration.said.status()).toBe('200 committed');
    expect(situation(app)).toMatchObject({ us: { items: {} }, de: { state: 'active' } });
    expect(Object.keys(app.holdings('de'))).toEqual(['part-0', 'part-10', 'part-20']);
    expect(Object.keys(items)).toHaveLength(5);
    for (const { events } of [...copied, ...committed]) {
      expect(events).toBeGreaterThan(200); // there were turns
      expect(events).toBeLessThan(MAX_EVENTS / 2);
    }
  });

  test('is rolled back from the commit: restored, discarded, and proven empty', async () => {
    const { app, migration, runAll } = world();
    const items = app.holdings('us');
    await migration.driveTo('copying');
    await runAll();
    expect(await migration.said.commit()).toBe('200 committing');
    expect(await migration.said.rollback()).toBe('200 rolling-back');
    const executions = await runAll();
    expect(executions.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'commit-2 FAILED', // it is no longer wanted
      'restore-3 SUCCEEDED',
      'rollback-4 SUCCEEDED',
    ]);
    expect(await migration.said.status()).toBe('200 rolled-back');
    expect(situation(app)).toEqual({
      us: {
        state: 'active',
        items,
        migration: undefined,
        arrivedBy: undefined,
        movedTo: undefined,
      },
    });
    for (const { events } of executions) expect(events).toBeLessThan(MAX_EVENTS / 2);
  });
});

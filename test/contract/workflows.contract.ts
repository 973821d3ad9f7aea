/** The contract of every starter of workflows. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../../lambdas/domain/refusal.ts';
import type { Run, Workflows } from '../../lambdas/ports.ts';

export interface WorkflowsHost {
  readonly workflows: Workflows;
  /** The number of executions, closed ones included. */
  count(): number;
  /** Ends all running executions. */
  endAll(): void;
  setReachable(isReachable: boolean): void;
  close(): Promise<void>;
}

export function workflowsContract(name: string, start: () => Promise<WorkflowsHost>): void {
  describe(`workflows (${name})`, () => {
    let host: WorkflowsHost | undefined;
    let id = 0;
    const the = () => {
      if (host === undefined) throw new Error('the host has not been started yet');
      return host;
    };
    const run = (rest: Partial<Run> = {}): Run => ({
      realm: 'de',
      ledger: 'us',
      tenant: 'tenant-1',
      id: String(id),
      phase: 'copy',
      attempt: 1,
      ...rest,
    });
    const begin = (rest: Partial<Run> = {}) => the().workflows.start(run(rest));

    beforeAll(async () => {
      host = await start();
    });
    afterAll(async () => host?.close());
    beforeEach(() => {
      id += 1;
    });

    test('start a run once, and find it running after that', async () => {
      const before = the().count();
      expect(await begin()).toBe('running');
      expect(await begin()).toBe('running');
      expect(the().count()).toBe(before + 1);
    });

    test('start a run once also when two ask at once', async () => {
      const before = the().count();
      expect(await Promise.all([begin(), begin()])).toEqual(['running', 'running']);
      expect(the().count()).toBe(before + 1);
    });

    test('say of a run that has ended that it is closed, and do not start it again', async () => {
      await begin();
      the().endAll();
      const before = the().count();
      expect(await begin()).toBe('closed');
      expect(the().count()).toBe(before);
    });

    test.each<[string, Partial<Run>]>([
      ['attempt', { attempt: 2 }],
      ['phase', { phase: 'rollback' }],
      ['tenant', { tenant: 'tenant-10' }],
      ['migration', { id: 'another' }],
      ['ledger', { ledger: 'eu' }],
      ['realm', { realm: 'us' }],
    ])('take another %s for another run', async (_, other) => {
      await begin();
      the().endAll();
      const unlike = other.id === undefined ? other : { id: `another-${id}` };
      expect(await begin(unlike)).toBe('running');
    });

    test('throw a fault when they cannot be reached', async () => {
      the().setReachable(false);
      await expect(begin()).rejects.toThrow(Fault);
      the().setReachable(true);
      expect(await begin()).toBe('running');
    });
  });
}

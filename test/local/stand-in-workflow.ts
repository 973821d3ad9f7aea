/** The local Step Functions with stand-ins for the tasks, and a real client. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Execution } from '../../lib/local/workflows/execution.ts';
import {
  startWorkflowRunner,
  type WorkflowRunner,
} from '../../lib/local/workflows/workflow-runner.ts';

export const ARN =
  'arn:aws:states:eu-central-1:000000000000:stateMachine:residency-local-de-realm-migration';
export const INPUT = {
  ledger: 'us',
  tenant: 'acme',
  migration: '57500',
  phase: 'copy',
  attempt: 1,
};
export const PLAN = {
  again: false,
  unclean: false,
  ranges: ['a', 'b', 'c'],
  moving: ['a', 'b'],
  turns: 3,
  waitSeconds: 0,
};
export const OVER = { over: true, waitSeconds: 0 };

type Tasks = Readonly<Record<string, (input: Readonly<Record<string, unknown>>) => unknown>>;

/** Closes what a test has opened, the last one first. */
export const closers: (() => Promise<unknown>)[] = [];

export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

export interface Runner extends WorkflowRunner {
  readonly client: SFNClient;
  readonly called: string[];
  readonly failedExecutions: Execution[];
  start(name: string, input?: unknown): Promise<string>;
  /** The execution, after it has ended. */
  end(name: string): Promise<Execution>;
}

export async function runnerWith(
  tasks: Tasks,
  more: { dataDir?: string; definition?: unknown; retrySpeed?: number } = {},
): Promise<Runner> {
  const called: string[] = [];
  const failedExecutions: Execution[] = [];
  const runTask = async (task: string, input: unknown) => {
    called.push(task);
    const all: Tasks = {
      'prepare-copy': () => PLAN,
      'copy-range': () => OVER,
      'verify-range': () => OVER,
      ...tasks,
    };
    return all[task]?.(Object(input));
  };
  const runner = await startWorkflowRunner({
    machines: [
      {
        realm: 'de',
        arn: ARN,
        runTask,
        onFailedExecution: (execution) => failedExecutions.push(execution),
        ...(more.dataDir && { dataDir: more.dataDir }),
      },
    ],
    retrySpeed: more.retrySpeed ?? 1000,
    ...(more.definition !== undefined && { definition: JSON.stringify(more.definition) }),
  });
  const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
  const client = new SFNClient({
    region: 'eu-central-1',
    endpoint: runner.url,
    credentials,
    maxAttempts: 1,
  });
  closers.push(() => runner.close());
  return {
    ...runner,
    client,
    called,
    failedExecutions,
    async start(name, input = INPUT) {
      const started = await client.send(
        new StartExecutionCommand({ stateMachineArn: ARN, name, input: JSON.stringify(input) }),
      );
      return started.executionArn ?? '';
    },
    async end(name) {
      for (;;) {
        const execution = runner.executions('de').find((candidate) => candidate.name === name);
        if (execution && execution.status !== 'RUNNING') return execution;
        await sleep(2);
      }
    },
  };
}

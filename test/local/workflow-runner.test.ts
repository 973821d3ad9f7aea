/** The local host's Step Functions, on the ASL file that deploys, with stand-ins for the tasks. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ListExecutionsCommand,
  StartExecutionCommand,
  StateMachineDoesNotExist,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterEach, describe, expect, test } from 'vitest';
import { ASL_FILE, readDefinition } from '../../lib/local/workflows/definition.ts';
import { statusChange } from '../../lib/local/workflows/status-change-event.ts';
import { ARN, closeAll, closers, INPUT, OVER, PLAN, runnerWith } from './stand-in-workflow.ts';

afterEach(closeAll);

function maxAttemptsOf(state: string): number {
  const [, found] =
    new RegExp(`"${state}": \\{.*?States\\.ALL.*?"MaxAttempts": (\\d+)`, 's').exec(
      readFileSync(ASL_FILE, 'utf8'),
    ) ?? [];
  return Number(found);
}

/** The substitution by which the ASL file names a task. */
const resourceOf = (substitution: string) => `\${${substitution}}`;

const failure = (name: string, message = 'it did not work') =>
  Object.assign(new Error(message), { name });

describe('an execution of the copy phase', () => {
  test('runs its tasks in order, each range by itself, and succeeds', async () => {
    const inputs: unknown[] = [];
    const runner = await runnerWith({
      'copy-range': (input) => {
        inputs.push(input);
        return OVER;
      },
    });
    const arn = await runner.start('copy-1');
    expect(arn).toBe(
      'arn:aws:states:eu-central-1:000000000000:execution:residency-local-de-realm-migration:copy-1',
    );
    expect(await runner.end('copy-1')).toMatchObject({ status: 'SUCCEEDED', states: [] });
    expect(runner.called).toEqual([
      'prepare-copy',
      'copy-range',
      'copy-range',
      'verify-range',
      'verify-range',
      'finish-copy',
    ]);
    expect(inputs).toEqual(
      ['a', 'b'].map((worker) => ({ ...INPUT, worker, turns: 3, turn: { number: 0 } })),
    );
    expect(runner.failedExecutions).toEqual([]);
  });

  test('gives a worker another turn, with what the last one returned', async () => {
    const turns: unknown[] = [];
    const runner = await runnerWith({
      'prepare-copy': () => ({ ...PLAN, moving: ['a'] }),
      'copy-range': ({ turn }) => {
        turns.push(turn);
        return { over: turns.length === 3, number: turns.length, waitSeconds: 0 };
      },
    });
    await runner.start('copy-1');
    await runner.end('copy-1');
    expect(turns).toEqual([
      { number: 0 },
      { over: false, number: 1, waitSeconds: 0 },
      { over: false, number: 2, waitSeconds: 0 },
    ]);
  });

  test('tries a fault again, and stops when the retrier says so', async () => {
    const runner = await runnerWith({
      'copy-range': () => {
        throw failure('Fault');
      },
      'prepare-copy': () => ({ ...PLAN, moving: ['a'] }),
    });
    await runner.start('copy-1');
    expect(await runner.end('copy-1')).toMatchObject({ status: 'FAILED', error: 'CopyFailed' });
    expect(runner.called.filter((task) => task === 'copy-range')).toHaveLength(
      1 + maxAttemptsOf('Copy a range'),
    );
  });

  test('does not try a permanent error again, and hands it on as Lambda tells it', async () => {
    let recorded: Readonly<Record<string, unknown>> = {};
    const runner = await runnerWith({
      'finish-copy': () => {
        throw failure('PermanentError', 'the two sides differ');
      },
      'fail-migration': (input) => {
        recorded = input;
      },
    });
    await runner.start('copy-1');
    expect(await runner.end('copy-1')).toMatchObject({ status: 'FAILED', error: 'CopyFailed' });
    expect(runner.called.filter((task) => task === 'finish-copy')).toHaveLength(1);
    expect(recorded).toMatchObject({ ...INPUT, failure: { Error: 'PermanentError' } });
    expect(JSON.parse(Object(recorded['failure']).Cause)).toMatchObject({
      errorType: 'PermanentError',
      errorMessage: 'the two sides differ',
    });
  });

  test('starts nothing more in a Map of which one iteration has failed, while running siblings go on', async () => {
    const { promise: siblingEnded, resolve } = Promise.withResolvers<string>();
    const begun: unknown[] = [];
    const runner = await runnerWith({
      'prepare-copy': () => ({
        ...PLAN,
        moving: Array.from({ length: 50 }, (_, index) => `worker-${index}`),
      }),
      'copy-range': async ({ worker }) => {
        begun.push(worker);
        await sleep(worker === 'worker-0' ? 10 : 30);
        if (worker === 'worker-0') throw failure('PermanentError');
        if (worker === 'worker-1') resolve('it has');
        return { over: false, number: 1, waitSeconds: 0 };
      },
    });
    await runner.start('copy-1');
    expect(await runner.end('copy-1')).toMatchObject({ status: 'FAILED' });
    expect(await siblingEnded).toBe('it has');
    await sleep(50);
    expect(begun).toHaveLength(40);
    expect(runner.called.at(-1)).toBe('fail-migration');
  });

  test('is found in the state that it is in', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<unknown>();
    const runner = await runnerWith({ 'copy-range': () => held });
    await runner.start('copy-1');
    await sleep(50);
    expect(runner.executions('de')[0]).toMatchObject({
      status: 'RUNNING',
      states: ['Copy', 'Copy a range'],
    });
    release(OVER);
    const { history } = await runner.end('copy-1');
    const entered = history.filter(({ what, index }) => what === 'entered' && index === undefined);
    expect(entered.map(({ state }) => state)).toEqual([
      'Which phase?',
      'Prepare the copy',
      'Is the target clean?',
      'Drain the source',
      'Copy',
      'Verify',
      'Finish the copy',
      'Ready to commit',
    ]);
  });
});

describe('the name of an execution', () => {
  test('names the same one as long as it runs with the same input, and is taken for any other input', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<unknown>();
    const runner = await runnerWith({ 'prepare-copy': () => held });
    const arn = await runner.start('copy-1');
    expect(await runner.start('copy-1')).toBe(arn);
    await expect(runner.start('copy-1', { ...INPUT, attempt: 2 })).rejects.toThrow(
      ExecutionAlreadyExists,
    );
    release(PLAN);
    await runner.end('copy-1');
    expect(runner.called.filter((task) => task === 'prepare-copy')).toHaveLength(1);
  });

  test('stays closed once it has ended, well or badly', async () => {
    const runner = await runnerWith({});
    await runner.start('copy-1');
    await runner.end('copy-1');
    await runner.start('unknown-1', { ...INPUT, phase: 'unknown' });
    expect(await runner.end('unknown-1')).toMatchObject({
      status: 'FAILED',
      error: 'UnknownPhase',
    });
    await expect(runner.start('copy-1')).rejects.toThrow(ExecutionAlreadyExists);
    await expect(runner.start('unknown-1', { ...INPUT, phase: 'unknown' })).rejects.toThrow(
      ExecutionAlreadyExists,
    );
  });

  test('stays closed after a restart, also of one that the host took with it', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'executions-'));
    closers.push(() => rm(dataDir, { recursive: true }));
    const first = await runnerWith(
      { 'finish-copy': () => sleep(5_000, undefined, { ref: false }) },
      { dataDir },
    );
    await first.start('ended-1', { ...INPUT, phase: 'unknown' });
    await first.end('ended-1');
    await first.start('running-1');
    await first.close();
    closers.splice(1, 1);

    const second = await runnerWith({}, { dataDir });
    await expect(second.start('ended-1', { ...INPUT, phase: 'unknown' })).rejects.toThrow(
      ExecutionAlreadyExists,
    );
    await expect(second.start('running-1')).rejects.toThrow(ExecutionAlreadyExists);
    expect(second.executions('de')).toMatchObject([
      { name: 'running-1', status: 'ABORTED', input: JSON.stringify(INPUT) },
      { name: 'ended-1', status: 'FAILED', error: 'UnknownPhase' },
    ]);
    expect(first.failedExecutions.map(({ name }) => name)).toEqual(['ended-1']);
    expect(second.failedExecutions).toEqual([]);
  });

  test.each(['', 'a b', 'a/b', 'x'.repeat(81)])('cannot be "%s"', async (name) => {
    const runner = await runnerWith({});
    await expect(runner.start(name)).rejects.toThrow(
      expect.objectContaining({ name: 'InvalidName' }),
    );
  });
});

describe('an operator', () => {
  test('sees executions by ARN and status', async () => {
    const runner = await runnerWith({});
    const arn = await runner.start('copy-1');
    await runner.end('copy-1');
    await runner.start('unknown-1', { ...INPUT, phase: 'unknown' });
    await runner.end('unknown-1');
    const described = await runner.client.send(new DescribeExecutionCommand({ executionArn: arn }));
    expect(described).toMatchObject({
      name: 'copy-1',
      status: 'SUCCEEDED',
      input: JSON.stringify(INPUT),
      stateMachineArn: ARN,
    });
    expect(Math.abs(Date.now() - (described.startDate?.getTime() ?? 0))).toBeLessThan(10_000);
    const failed = await runner.client.send(
      new ListExecutionsCommand({ stateMachineArn: ARN, statusFilter: 'FAILED' }),
    );
    expect(failed.executions?.map(({ name }) => name)).toEqual(['unknown-1']);
  });

  test('stops an execution, which then starts no task any more', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<unknown>();
    const runner = await runnerWith({ 'prepare-copy': () => held });
    const executionArn = await runner.start('copy-1');
    await sleep(20);
    await runner.client.send(
      new StopExecutionCommand({ executionArn, error: 'Operator', cause: 'enough' }),
    );
    expect(await runner.end('copy-1')).toMatchObject({
      status: 'ABORTED',
      error: 'Operator',
      cause: 'enough',
    });
    release(PLAN);
    await sleep(50);
    expect(runner.called).toEqual(['prepare-copy']);
    expect(runner.failedExecutions).toMatchObject([{ name: 'copy-1', status: 'ABORTED' }]);
  });

  test('is told when a machine does not exist', async () => {
    const { client } = await runnerWith({});
    const stateMachineArn = ARN.replace('-de-', '-fr-');
    await expect(client.send(new StartExecutionCommand({ stateMachineArn }))).rejects.toThrow(
      StateMachineDoesNotExist,
    );
  });
});

describe('the limits of Step Functions', () => {
  test('256 KB: a larger result fails the execution, and nothing catches it', async () => {
    const runner = await runnerWith({
      'prepare-copy': () => ({ ...PLAN, ballast: 'x'.repeat(256 * 1024) }),
    });
    await runner.start('copy-1');
    expect(await runner.end('copy-1')).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
    });
    expect(runner.called).toEqual(['prepare-copy']);
  });

  test('256 KB: a state that has grown to it fails the execution', async () => {
    const runner = await runnerWith({
      'prepare-copy': () => ({ ...PLAN, ballast: 'x'.repeat(256 * 1024 - 150) }),
    });
    await runner.start('copy-1');
    expect(await runner.end('copy-1')).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
    });
    expect(runner.called).not.toContain('finish-copy');
  });

  test('25,000 events: an execution that goes round for ever is ended', async () => {
    const definition = {
      StartAt: 'Again',
      States: {
        Again: {
          Type: 'Task',
          Resource: resourceOf('copyRange'),
          TimeoutSeconds: 5,
          Next: 'Again',
        },
      },
    };
    const runner = await runnerWith({ 'copy-range': () => ({}) }, { definition });
    await runner.start('endless');
    expect(await runner.end('endless')).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
    });
    expect(runner.called.length).toBeGreaterThan(4_900);
    expect(runner.called.length).toBeLessThan(5_100);
  });

  test('40 iterations at once, whatever a Map asks for', async () => {
    const range = {
      StartAt: 'Copy a range',
      States: { 'Copy a range': { Type: 'Task', Resource: resourceOf('copyRange'), End: true } },
    };
    const definition = {
      StartAt: 'Copy',
      States: {
        Copy: {
          Type: 'Map',
          MaxConcurrency: 100,
          ItemsPath: '$.items',
          ItemProcessor: range,
          End: true,
        },
      },
    };
    let [now, most] = [0, 0];
    const runner = await runnerWith(
      {
        'copy-range': async () => {
          now += 1;
          most = Math.max(most, now);
          await sleep(5);
          now -= 1;
        },
      },
      { definition },
    );
    await runner.start('wide', { items: Array.from({ length: 100 }, (_, index) => ({ index })) });
    await runner.end('wide');
    expect(most).toBe(40);
  });
});

describe('the event at the end of an execution', () => {
  test('says what EventBridge says', async () => {
    const runner = await runnerWith({});
    await runner.start('unknown-1', { ...INPUT, phase: 'unknown' });
    const event = statusChange(await runner.end('unknown-1'), 'eu-central-1', '000000000000');
    expect(event).toMatchObject({
      source: 'aws.states',
      'detail-type': 'Step Functions Execution Status Change',
      region: 'eu-central-1',
      detail: {
        stateMachineArn: ARN,
        executionArn: `${ARN.replace(':stateMachine:', ':execution:')}:unknown-1`,
        name: 'unknown-1',
        status: 'FAILED',
        input: JSON.stringify({ ...INPUT, phase: 'unknown' }),
        error: 'UnknownPhase',
      },
    });
  });
});

describe('the definition', () => {
  test('names a task for each Task state, also within a Map', () => {
    const { taskOf, mapOf } = readDefinition();
    expect(taskOf.get('Prepare the copy')).toBe('prepare-copy');
    expect(taskOf.get('Copy a range')).toBe('copy-range');
    expect(mapOf.get('Copy a range')).toBe('Copy');
    expect(taskOf.get('Verify a restored range')).toBe('verify-range');
  });

  test('is refused where it names a task that does not exist', () => {
    const text = JSON.stringify({
      StartAt: 'A',
      States: { A: { Type: 'Task', Resource: resourceOf('noSuchTask'), End: true } },
    });
    expect(() => readDefinition(text)).toThrow('no task is substituted for');
  });
});

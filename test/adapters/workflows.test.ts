/**
 * Both starters of workflows keep the contract, and executions get the names and inputs that Step
 * Functions accepts.
 */
import { SFNClient } from '@aws-sdk/client-sfn';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { executionName } from '../../lambdas/adapters/execution-name.ts';
import { stepFunctions } from '../../lambdas/adapters/step-functions.ts';
import type { Phase } from '../../lambdas/domain/moving/migration.ts';
import type { Run } from '../../lambdas/ports.ts';
import { workflowsContract } from '../contract/workflows.contract.ts';
import { inMemoryWorkflows } from '../support/in-memory-workflows.ts';
import { startStatesStandIn } from '../support/states-stand-in.ts';
import { disturbance } from '../support/unreachable.ts';

workflowsContract('in memory', async () => {
  const { hooks, ...host } = disturbance();
  const workflows = inMemoryWorkflows(hooks);
  return {
    ...host,
    workflows,
    count: () => workflows.runs().length,
    endAll: () => {
      for (const run of workflows.running()) workflows.close(run, 'failed');
    },
    close: async () => {},
  };
});

async function overStepFunctions() {
  const states = await startStatesStandIn();
  const client = new SFNClient({
    endpoint: states.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const workflows = stepFunctions({
    clientFor: () => client,
    arnOf: (realm) => `arn:aws:states:eu-central-1:000000000000:stateMachine:test-${realm}`,
  });
  return {
    states,
    workflows,
    count: () => states.executions.size,
    endAll: () => {
      for (const execution of states.executions.values()) execution.isRunning = false;
    },
    setReachable: states.setReachable,
    close: async () => {
      client.destroy();
      await states.close();
    },
  };
}

workflowsContract('Step Functions', overStepFunctions);

const run: Run = {
  realm: 'de',
  ledger: 'us',
  tenant: 'tenant-1',
  id: '57500',
  phase: 'copy',
  attempt: 3,
};

describe('an execution', () => {
  test('is given the key, the phase and the attempt, and nothing that could be secret', async () => {
    const { states, workflows, close } = await overStepFunctions();
    await workflows.start(run);
    const [execution] = states.executions.values();
    expect(execution?.machine).toMatch(/:test-de$/);
    expect(JSON.parse(execution?.input ?? '')).toEqual({
      ledger: 'us',
      tenant: 'tenant-1',
      migration: '57500',
      phase: 'copy',
      attempt: 3,
    });
    await close();
  });

  test('has a name that Step Functions accepts, that tells no tenant, and that is its own', () => {
    const phase = fc.constantFrom<Phase>('copy', 'commit', 'restore', 'rollback');
    const text = fc
      .string({ minLength: 1, maxLength: 255, unit: 'grapheme-ascii' })
      .filter((value) => !value.includes('\n'));
    const any = fc.record({
      realm: fc.constant('de'),
      ledger: fc.constantFrom('us', 'de'),
      tenant: text,
      id: text,
      phase,
      attempt: fc.nat(100_000),
    });
    fc.assert(
      fc.property(any, any, (one, other) => {
        expect(executionName(one)).toMatch(/^[a-z]+-[\w.-]{1,20}-[0-9a-f]{32}-\d+$/);
        expect(executionName(one).length).toBeLessThanOrEqual(80);
        expect(executionName({ ...one })).toBe(executionName(one));
        const isSame = JSON.stringify({ ...one }) === JSON.stringify({ ...other });
        expect(executionName(one) === executionName(other)).toBe(isSame);
      }),
    );
  });

  test('has the migration in its name, so that its log lines are found by it', () => {
    expect(executionName(run)).toMatch(/^copy-57500-[0-9a-f]{32}-3$/);
  });
});

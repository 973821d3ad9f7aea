/**
 * Workflows in Step Functions: one state machine per realm, with execution names that make a start
 * idempotent.
 */
import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Realm } from '../domain/realm.ts';
import { Fault } from '../domain/refusal.ts';
import type { Workflows } from '../ports.ts';
import { executionName } from './execution-name.ts';

export interface StateMachines {
  readonly clientFor: (realm: Realm) => SFNClient;
  readonly arnOf: (realm: Realm) => string;
}

export function stepFunctions({ clientFor, arnOf }: StateMachines): Workflows {
  return {
    async start(run) {
      const { realm, ledger, tenant, id, phase, attempt } = run;
      try {
        // Step Functions takes a second start with the same name and input as a success while the
        // first runs. A closed name cannot be started for 90 days.
        await clientFor(realm).send(
          new StartExecutionCommand({
            stateMachineArn: arnOf(realm),
            name: executionName(run),
            input: JSON.stringify({ ledger, tenant, migration: id, phase, attempt }),
          }),
        );
        return 'running';
      } catch (error) {
        if (error instanceof ExecutionAlreadyExists) return 'closed';
        throw new Fault(
          `the workflow of realm ${realm} cannot be started: ${error instanceof Error ? error.name : 'unknown error'}`,
          { cause: error },
        );
      }
    },
  };
}

/**
 * Workflows in Step Functions: one state machine per realm, with execution names that make a start
 * idempotent.
 */
import { createHash } from 'node:crypto';
import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Realm } from '../domain/realm.ts';
import { Fault } from '../domain/refusal.ts';
import type { Run, Workflows } from '../ports.ts';

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

/**
 * `{phase}-{id}-{hash of ledger, tenant and id}-{attempt}`: the same run always has the same name
 * (80 characters at most). The hash makes it unique. The id, cut where it is long, is for readers
 * of logs and console.
 */
export function executionName({ phase, tenant, ledger, id, attempt }: Run): string {
  const hash = createHash('sha256')
    .update(`${ledger}\n${tenant}\n${id}`)
    .digest('hex')
    .slice(0, 32);
  return `${phase}-${id.replace(/[^\w.-]/g, '_').slice(0, LONGEST_ID)}-${hash}-${attempt}`;
}

/** Longest migration id in a name; Atlassian's are numbers of about five digits. */
const LONGEST_ID = 20;

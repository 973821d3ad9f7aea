/**
 * The event that EventBridge sends to `settle` when an execution failed, timed out or was aborted.
 */
import { randomUUID } from 'node:crypto';
import type { Execution } from './execution.ts';

/** "Step Functions Execution Status Change", as the rule delivers it. */
export function statusChange(execution: Execution, region: string, account: string) {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Step Functions Execution Status Change',
    source: 'aws.states',
    account,
    time: new Date(execution.stopDate ?? Date.now()).toISOString(),
    region,
    resources: [execution.arn],
    detail: {
      executionArn: execution.arn,
      stateMachineArn: execution.arn
        .slice(0, execution.arn.lastIndexOf(':'))
        .replace(':execution:', ':stateMachine:'),
      name: execution.name,
      status: execution.status,
      startDate: execution.startDate,
      stopDate: execution.stopDate ?? null,
      input: execution.input,
      inputDetails: { included: true },
      output: null,
      outputDetails: null,
      error: execution.error ?? null,
      cause: execution.cause ?? null,
    },
  };
}

/**
 * The stack of one realm: composes the constructs that serve, store and move its tenants. It owns
 * no resource itself.
 */
import { Stack, type StackProps } from 'aws-cdk-lib';
import { Code, type IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { Data } from './data.ts';
import { DeadLetters } from './dead-letters.ts';
import type { Deployment } from './deployment.ts';
import { entriesOf } from './entries.ts';
import { signsReceipts } from './grants.ts';
import { GuardPolicy } from './guard-policy.ts';
import { HooksApi } from './hooks-api.ts';
import { KEY_HOLDER } from './key-holder.ts';
import { Monitoring } from './monitoring.ts';
import { NodeLambda } from './node-lambda.ts';
import { Operators } from './operator-roles.ts';
import { ReceiptKey } from './receipt-key.ts';
import { Workflow } from './workflow.ts';

export interface RealmStackProps extends StackProps {
  readonly deployment: Deployment;
  /** Folder that holds the bundles of all Lambdas. */
  readonly code: string;
}

export class RealmStack extends Stack {
  constructor(scope: Construct, id: string, { deployment, code, ...stackProps }: RealmStackProps) {
    // A template has at most one megabyte.
    super(scope, id, { suppressTemplateIndentation: true, ...stackProps });

    const { key } = new Data(this, 'Data', { deployment });
    const receiptKey = new ReceiptKey(this, 'ReceiptKey', { deployment });
    const asset = Code.fromAsset(code);
    const lambdas = new Map<string, NodeLambda>(
      entriesOf(deployment.residency).map((entry) => [
        entry,
        new NodeLambda(this, entry, {
          deployment,
          entry,
          code: asset,
          // Lets an operator read which key the stack has.
          ...(signsReceipts(entry) && { statements: [receiptKey.signing] }),
          ...(entry === KEY_HOLDER.entry && { variables: { [KEY_HOLDER.variable]: key.keyArn } }),
        }),
      ]),
    );
    const madeFrom = (entry: string): NodeLambda => {
      const lambda = lambdas.get(entry);
      if (lambda === undefined) throw new Error(`no Lambda is made from ${entry}`);
      return lambda;
    };
    const lambdaOf = (entry: string): IFunction => madeFrom(entry).function;
    const settle = lambdaOf('tasks/settle');

    const { hookErrors, log } = new HooksApi(this, 'HooksApi', { deployment, lambdaOf });
    const deadLetters = new DeadLetters(this, 'DeadLetters', { deployment });
    const { failureRule, logGroup } = new Workflow(this, 'Workflow', {
      deployment,
      settle,
      lambdaOf,
      deadLetters,
    });
    new Monitoring(this, 'Monitoring', {
      deployment,
      key,
      logs: {
        ofEntry: (entry) => madeFrom(entry).logGroup,
        ofWorkflow: logGroup,
        ofRequests: log,
      },
      lambdaOf,
      failureRule,
      hookErrors,
      deadLetters: deadLetters.queue,
    });
    new GuardPolicy(this, 'Guard', deployment);
    new Operators(this, 'Operators', { deployment, statements: [receiptKey.reading] });
  }
}

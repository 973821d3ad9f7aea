/**
 * The two roles that people take: one looks, the other also acts. Neither ever sees a shared secret or an item of a
 * dataset. Who may take them is for the account's own policies to say.
 */
import { AccountRootPrincipal, PolicyDocument, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { TenantRecord } from '../lambdas/domain/tenant.ts';
import { acknowledge } from './acknowledge.ts';
import { arnOf, type Deployment, lambdaArn } from './deployment.ts';

export interface OperatorsProps {
  readonly deployment: Deployment;
}

/** What a tenant's record is stored with, but for `sharedSecret`. The type keeps the list complete. */
const SHOWN: Readonly<
  Record<Exclude<keyof TenantRecord, 'credentials'> | 'credentialsIat' | 'revision', true>
> = {
  tenant: true,
  state: true,
  credentialsIat: true,
  installation: true,
  migration: true,
  ledger: true,
  arrivedBy: true,
  released: true,
  fencedAt: true,
  movedTo: true,
  wasOpen: true,
  unclean: true,
  uninstalledIat: true,
  purgeDueAt: true,
  keep: true,
  openingIat: true,
  expiresAt: true,
  revision: true,
};

export class Operators extends Construct {
  readonly read: Role;
  readonly act: Role;

  constructor(scope: Construct, id: string, { deployment }: OperatorsProps) {
    super(scope, id);
    const role = (name: string, description: string, statements: PolicyStatement[]) =>
      new Role(this, name, {
        roleName: `${deployment.names.prefix}-${name}`,
        description,
        assumedBy: new AccountRootPrincipal(),
        inlinePolicies: { own: new PolicyDocument({ statements }) },
      });

    this.read = role(
      'operator-read',
      'Sees where each tenant and each migration is',
      looking(deployment),
    );
    this.act = role(
      'operator-act',
      'Sees the same, changes settings, and retries or cancels migrations',
      [...looking(deployment), ...acting(deployment)],
    );
    for (const operator of [this.read, this.act]) {
      const { prefix, stateMachine } = deployment.names;
      acknowledge(
        operator,
        starIn(deployment, 'states', `execution:${stateMachine}:*`),
        'Executions are named by what they do: whoever looks after a machine looks at all of them.',
      );
      acknowledge(
        operator,
        starIn(deployment, 'logs', `log-group:/aws/lambda/${prefix}-*:*`),
        'The logs of all Lambdas of this realm, and of no other; nothing secret is in them.',
      );
    }
  }
}

/** cdk-nag's name for a star in a resource, with its own way to write what only a deployment knows. */
const starIn = ({ region }: Deployment, service: string, resource: string): string =>
  `AwsSolutions-IAM5[Resource::${arnOf(region, service, resource, '<AWS::Partition>', '<AWS::AccountId>')}]`;

function looking({ region, names }: Deployment): PolicyStatement[] {
  const table = (name: string) => arnOf(region, 'dynamodb', `table/${name}`);
  return [
    // Fails closed: a request that does not name its attributes, or names another one, is refused.
    new PolicyStatement({
      actions: ['dynamodb:GetItem', 'dynamodb:Query'],
      resources: [table(names.tenants)],
      conditions: {
        'ForAllValues:StringEquals': { 'dynamodb:Attributes': Object.keys(SHOWN) },
        StringEquals: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' },
        Null: { 'dynamodb:Attributes': 'false' },
      },
    }),
    new PolicyStatement({
      actions: ['dynamodb:GetItem', 'dynamodb:Query'],
      resources: [table(names.migrations), `${table(names.migrations)}/index/open`],
    }),
    new PolicyStatement({
      actions: ['states:DescribeStateMachine', 'states:ListExecutions'],
      resources: [arnOf(region, 'states', `stateMachine:${names.stateMachine}`)],
    }),
    new PolicyStatement({
      actions: ['states:DescribeExecution', 'states:GetExecutionHistory'],
      resources: [arnOf(region, 'states', `execution:${names.stateMachine}:*`)],
    }),
    new PolicyStatement({
      actions: ['logs:FilterLogEvents', 'logs:GetLogEvents'],
      resources: [arnOf(region, 'logs', `log-group:/aws/lambda/${names.prefix}-*:*`)],
    }),
  ];
}

/**
 * What operators change goes through a function that takes the same steps as hooks and tasks do: no right to write a table,
 * nor to start an execution of whatever input. Stopping one harms nobody: what it was about goes on in the next attempt. No
 * redrive: it would run an old definition.
 */
function acting(deployment: Deployment): PolicyStatement[] {
  const { region, names } = deployment;
  return [
    new PolicyStatement({
      actions: ['states:StopExecution'],
      resources: [arnOf(region, 'states', `execution:${names.stateMachine}:*`)],
    }),
    new PolicyStatement({
      actions: ['lambda:InvokeFunction'],
      resources: [lambdaArn(deployment, 'tasks/operate'), lambdaArn(deployment, 'tasks/janitor')],
    }),
  ];
}

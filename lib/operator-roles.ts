/**
 * The two roles that people take: one looks, the other also acts. Neither ever sees a shared secret; of a dataset they see
 * how many items there are, and under which partition keys. Who may take them is for the account's own policies to say.
 */
import { AccountRootPrincipal, PolicyDocument, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { arnOf, type Deployment, lambdaArn } from './deployment.ts';
import { acknowledge } from './nag-suppressions.ts';
import { SHOWN_ATTRIBUTES } from './shown-attributes.ts';

export interface OperatorsProps {
  readonly deployment: Deployment;
}

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
      acknowledge(
        operator,
        'AwsSolutions-IAM5[Resource::*]',
        'GetAccountSettings knows no resource; it says what the account may run at once.',
      );
    }
  }
}

/** cdk-nag's name for a star in a resource, with its own way to write what only a deployment knows. */
const starIn = ({ region }: Deployment, service: string, resource: string): string =>
  `AwsSolutions-IAM5[Resource::${arnOf(region, service, resource, '<AWS::Partition>', '<AWS::AccountId>')}]`;

function looking(deployment: Deployment): PolicyStatement[] {
  const { region, names, residency } = deployment;
  const table = (name: string) => arnOf(region, 'dynamodb', `table/${name}`);
  return [
    // Fails closed: a request that does not name its attributes, or names another one, is refused.
    new PolicyStatement({
      actions: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan'],
      resources: [table(names.tenants)],
      conditions: {
        'ForAllValues:StringEquals': { 'dynamodb:Attributes': [...SHOWN_ATTRIBUTES] },
        StringEquals: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' },
        Null: { 'dynamodb:Attributes': 'false' },
      },
    }),
    new PolicyStatement({
      actions: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan'],
      resources: [table(names.migrations), `${table(names.migrations)}/index/open`],
    }),
    ...counting(deployment),
    new PolicyStatement({
      actions: ['dynamodb:DescribeTable'],
      resources: [names.tenants, names.migrations, ...residency.parts.map(names.part)].map(table),
    }),
    new PolicyStatement({ actions: ['lambda:GetAccountSettings'], resources: ['*'] }),
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
 * Of a dataset: counts, and for an audit the partition keys that exist. A filter could put questions to the items even in
 * a count, so that it may name nothing but keys and the expiry. Parts that look alike share their statements: a role's
 * own policies end at 10,240 characters.
 */
function counting({ region, names, residency }: Deployment): PolicyStatement[] {
  const alike = Map.groupBy(residency.parts, ({ partitionKey, sortKey, ttlAttribute }) =>
    JSON.stringify([partitionKey, sortKey.name, ttlAttribute]),
  );
  return [...alike.values()].flatMap((parts) => {
    const resources = parts.map((part) => arnOf(region, 'dynamodb', `table/${names.part(part)}`));
    const [keys, expiry] = [
      [...new Set(parts.flatMap(({ partitionKey, sortKey }) => [partitionKey, sortKey.name]))],
      [...new Set(parts.flatMap(({ ttlAttribute }) => ttlAttribute ?? []))],
    ];
    return [
      new PolicyStatement({
        actions: ['dynamodb:Query'],
        resources,
        conditions: {
          'ForAllValues:StringEquals': { 'dynamodb:Attributes': [...keys, ...expiry] },
          StringEquals: { 'dynamodb:Select': 'COUNT' },
        },
      }),
      new PolicyStatement({
        actions: ['dynamodb:Scan'],
        resources,
        conditions: {
          'ForAllValues:StringEquals': {
            'dynamodb:Attributes': [...new Set(parts.map(({ partitionKey }) => partitionKey))],
          },
          StringEquals: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' },
          Null: { 'dynamodb:Attributes': 'false' },
        },
      }),
    ];
  });
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
      resources: ['tasks/operate', 'tasks/rehearse', 'tasks/janitor'].map((entry) =>
        lambdaArn(deployment, entry),
      ),
    }),
  ];
}

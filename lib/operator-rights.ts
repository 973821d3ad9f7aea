/** What the two roles of people may do, statement by statement; `lib/operator-roles.ts` makes the roles. */
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { arnOf, type Deployment, dashboardName, deadLettersName, lambdaArn } from './deployment.ts';
import { KEY_HOLDER } from './key-holder.ts';
import { logPatterns } from './log-groups.ts';
import { keyStatements, READ_WITH_KEY } from './part-keys.ts';
import { SCHEDULES } from './routes.ts';
import { SHOWN_ATTRIBUTES } from './shown-attributes.ts';

const allow = (actions: string[], ...resources: string[]) =>
  new PolicyStatement({ actions, resources });

export function looking(deployment: Deployment): readonly PolicyStatement[] {
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
    allow(
      ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan'],
      table(names.migrations),
      `${table(names.migrations)}/index/open`,
    ),
    allow(
      ['states:DescribeStateMachine', 'states:ListExecutions'],
      arnOf(region, 'states', `stateMachine:${names.stateMachine}`),
    ),
    allow(
      ['states:DescribeExecution', 'states:GetExecutionHistory'],
      arnOf(region, 'states', `execution:${names.stateMachine}:*`),
    ),
    allow(
      ['logs:FilterLogEvents', 'logs:GetLogEvents', 'logs:StartQuery'],
      ...logPatterns(deployment).map((pattern) => arnOf(region, 'logs', `log-group:${pattern}`)),
    ),
    allow(
      ['cloudwatch:GetDashboard'],
      arnOf('', 'cloudwatch', `dashboard/${dashboardName(residency, deployment.stage)}`),
    ),
    allow(
      ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl', 'sqs:ReceiveMessage'],
      arnOf(region, 'sqs', deadLettersName(names)),
    ),
    allow(['events:DescribeRule'], ...scheduleRules(deployment)),
    allow(['lambda:GetFunctionConfiguration'], lambdaArn(deployment, KEY_HOLDER.entry)),
    // None of these knows a resource, and a list of alarms is refused to whoever may not see all.
    allow(
      [
        'cloudwatch:DescribeAlarms',
        'cloudwatch:GetMetricData',
        'cloudwatch:GetMetricStatistics',
        'cloudwatch:ListMetrics',
        'lambda:GetAccountSettings',
        'logs:DescribeQueryDefinitions',
        'logs:GetQueryResults',
        'logs:StopQuery',
      ],
      '*',
    ),
    allow(DESCRIBE, ...[names.tenants, names.migrations].map(table)),
  ];
}

/** The form of a table, for `doctor`. */
const DESCRIBE = ['dynamodb:DescribeTable', 'dynamodb:DescribeTimeToLive'];

/**
 * Of a dataset: counts, and for an audit the keys that exist. A filter could put questions to the items even in a count, so
 * that it may name nothing but keys and the expiry. From the second page on, a scan says after which item it goes on, by both
 * keys: IAM cannot tell that from asking for them. Parts that look alike share their statements.
 */
export function counting({
  region,
  realm,
  stage,
  names,
  residency,
}: Deployment): readonly (readonly PolicyStatement[])[] {
  const alike = Map.groupBy(residency.parts, ({ partitionKey, sortKey, ttlAttribute }) =>
    JSON.stringify([partitionKey, sortKey.name, ttlAttribute]),
  );
  return [...alike.values()].map((parts) => {
    const resources = parts.map((part) => arnOf(region, 'dynamodb', `table/${names.part(part)}`));
    const keys = parts.flatMap(({ partitionKey, sortKey }) => [partitionKey, sortKey.name]);
    const expiry = parts.flatMap(({ ttlAttribute }) => ttlAttribute ?? []);
    return [
      new PolicyStatement({
        actions: ['dynamodb:Query'],
        resources,
        conditions: {
          'ForAllValues:StringEquals': {
            'dynamodb:Attributes': [...new Set([...keys, ...expiry])],
          },
          StringEquals: { 'dynamodb:Select': 'COUNT' },
        },
      }),
      new PolicyStatement({
        actions: ['dynamodb:Scan'],
        resources,
        conditions: {
          'ForAllValues:StringEquals': { 'dynamodb:Attributes': [...new Set(keys)] },
          StringEquals: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' },
          Null: { 'dynamodb:Attributes': 'false' },
        },
      }),
      allow(DESCRIBE, ...resources),
      ...keyStatements(parts, { realm, region }, stage, READ_WITH_KEY),
    ];
  });
}

/** The functions that a person may call: what they do, hooks, tasks and schedules do too. */
const CALLED = ['tasks/operate', 'tasks/rehearse', ...SCHEDULES.map(({ task }) => `tasks/${task}`)];

/**
 * What operators change goes through a function that takes the same steps as hooks and tasks do: no right to write a table,
 * nor to start an execution of whatever input. Stopping one harms nobody: what it was about goes on in the next attempt. No
 * redrive: it would run an old definition. An event that was given up may be taken from the queue, and a schedule that was
 * switched off may be switched on again, not off.
 */
export function acting(deployment: Deployment): readonly PolicyStatement[] {
  const { region, names } = deployment;
  return [
    allow(['states:StopExecution'], arnOf(region, 'states', `execution:${names.stateMachine}:*`)),
    allow(['lambda:InvokeFunction'], ...CALLED.map((entry) => lambdaArn(deployment, entry))),
    allow(['sqs:DeleteMessage'], arnOf(region, 'sqs', deadLettersName(names))),
    allow(['events:EnableRule'], ...scheduleRules(deployment)),
  ];
}

const scheduleRules = ({ region, names }: Deployment): readonly string[] =>
  SCHEDULES.map(({ task }) => arnOf(region, 'events', `rule/${names.prefix}-${task}`));

/**
 * The statements of the three roles that operators take; `lib/operator-roles.ts` makes the roles.
 */

import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { bucketsOf, tablesOf } from '../lambdas/domain/datasets/kinds.ts';
import { OPERATORS_ON_BUCKETS } from './bucket-grants.ts';
import {
  alarmArn,
  arnOf,
  bucketName,
  type Deployment,
  dashboardName,
  deadLettersName,
  lambdaArn,
} from './deployment.ts';
import { READ_WITH_KEY } from './key-actions.ts';
import { KEY_HOLDER } from './key-holder.ts';
import { logPatterns } from './log-groups.ts';
import { keyStatements } from './part-keys.ts';
import { SCHEDULES } from './routes.ts';
import { TEST_ALARM } from './saved-queries.ts';
import { SHOWN_ATTRIBUTES } from './shown-attributes.ts';

const allow = (actions: string[], ...resources: string[]) =>
  new PolicyStatement({ actions, resources });

/**
 * Fails closed: a request that names no attributes, or an attribute that is not in the list, is
 * refused.
 */
const readingTenants = ({ region, names }: Deployment) =>
  new PolicyStatement({
    actions: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan'],
    resources: [arnOf(region, 'dynamodb', `table/${names.tenants}`)],
    conditions: {
      'ForAllValues:StringEquals': { 'dynamodb:Attributes': [...SHOWN_ATTRIBUTES] },
      StringEquals: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' },
      Null: { 'dynamodb:Attributes': 'false' },
    },
  });

export function looking(deployment: Deployment): readonly PolicyStatement[] {
  const { region, names, residency } = deployment;
  const table = (name: string) => arnOf(region, 'dynamodb', `table/${name}`);
  return [
    readingTenants(deployment),
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
    // These actions cannot be limited to a resource. CloudWatch refuses a list of alarms to a role
    // that may not see all.
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

/** Lets `doctor` read the form of a table. */
const DESCRIBE = ['dynamodb:DescribeTable', 'dynamodb:DescribeTimeToLive'];

/**
 * Statements on the dataset: counts, and for an audit the keys that exist. A filter tells something
 * about the items even in a count, so that it may name only keys and the expiry. From its second
 * page on, a scan sends both keys of the item where it goes on, and IAM cannot tell that from
 * asking for these attributes. Parts with the same attributes share their statements.
 */
export function counting({
  region,
  realm,
  stage,
  names,
  residency,
}: Deployment): readonly (readonly PolicyStatement[])[] {
  const alike = Map.groupBy(
    tablesOf(residency.parts),
    ({ partitionKey, sortKey, ttlAttribute, discover }) =>
      JSON.stringify([
        partitionKey,
        sortKey?.name,
        ttlAttribute,
        discover?.attribute,
        discover?.by,
      ]),
  );
  const tables = [...alike.values()].map((parts) => {
    const resources = parts.map((part) => arnOf(region, 'dynamodb', `table/${names.part(part)}`));
    const keys = parts.flatMap(({ partitionKey, sortKey }) => [
      partitionKey,
      ...(sortKey === undefined ? [] : [sortKey.name]),
    ]);
    const expiry = parts.flatMap(({ ttlAttribute }) => ttlAttribute ?? []);
    // A table that is scanned is counted by a scan, which names the tenant's attribute.
    const scanned = parts.flatMap(({ discover }) =>
      discover === undefined
        ? []
        : [...(discover.attribute === undefined ? [] : [discover.attribute]), ...expiry],
    );
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
          'ForAllValues:StringEquals': {
            'dynamodb:Attributes': [...new Set([...keys, ...scanned])],
          },
          StringEquals: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' },
          Null: { 'dynamodb:Attributes': 'false' },
        },
      }),
      allow(DESCRIBE, ...resources),
      ...keyStatements(parts, { realm, region }, stage, READ_WITH_KEY),
    ];
  });
  const buckets = bucketsOf(residency.parts).map(
    (part) =>
      `arn:${Aws.PARTITION}:s3:::${bucketName({ residency, stage }, part, { realm, region })}`,
  );
  if (buckets.length === 0) return tables;
  return [
    ...tables,
    [
      allow(
        OPERATORS_ON_BUCKETS.map((action) => `s3:${action}`),
        ...buckets,
      ),
    ],
  ];
}

/** The functions that an operator may invoke. Hooks, tasks and schedules take the same steps. */
const CALLED = ['tasks/operate', 'tasks/rehearse', ...SCHEDULES.map(({ task }) => `tasks/${task}`)];

/**
 * Operators change things through a function that takes the same steps as hooks and tasks do. So
 * they have no right to write a table, nor to start an execution with an input of their own. They
 * may stop an execution: its migration goes on in the next attempt. They may not redrive one: it
 * would run an old definition. They may take an event from the dead-letter queue, and switch a
 * schedule on, but not off. They may raise one alarm, to test who hears of it.
 */
export function acting(deployment: Deployment): readonly PolicyStatement[] {
  const { region, names } = deployment;
  return [
    allow(['states:StopExecution'], arnOf(region, 'states', `execution:${names.stateMachine}:*`)),
    allow(['lambda:InvokeFunction'], ...CALLED.map((entry) => lambdaArn(deployment, entry))),
    allow(['sqs:DeleteMessage'], arnOf(region, 'sqs', deadLettersName(names))),
    allow(['events:EnableRule'], ...scheduleRules(deployment)),
    allow(['cloudwatch:SetAlarmState'], alarmArn(deployment, TEST_ALARM)),
  ];
}

/**
 * One function, which imports tenants with their secrets and retires tenants. An operator who may
 * call it can give a tenant a secret of their own, and then sign requests for that tenant: no other
 * role may. Beside it, what the two commands read: tenants, and whether a realm holds items of one.
 */
export const bringing = (deployment: Deployment): readonly PolicyStatement[] => [
  readingTenants(deployment),
  allow(['lambda:InvokeFunction'], lambdaArn(deployment, 'tasks/tenants')),
];

const scheduleRules = ({ region, names }: Deployment): readonly string[] =>
  SCHEDULES.map(({ task }) => arnOf(region, 'events', `rule/${names.prefix}-${task}`));

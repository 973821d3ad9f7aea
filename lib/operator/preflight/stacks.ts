/**
 * Checks of names: whether a realm's stack is there already, and what else has the names that it
 * would take.
 */
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { paginateDescribeLogGroups } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import { DescribeStateMachineCommand } from '@aws-sdk/client-sfn';
import { isOwn } from '../../../lambdas/domain/datasets/kinds.ts';
import { partitionOf, type Realm } from '../../../lambdas/domain/realm.ts';
import { absenceOf } from '../doctor/bucket-facts.ts';
import { declaredBuckets } from '../doctor/bucket-form.ts';
import { bad, type Found, fine } from '../doctor/check.ts';
import type { Operator } from '../operator.ts';
import type { PreflightClients } from './aws.ts';
import { isNamed } from './finding.ts';
import type { StackNames } from './names.ts';

/** `undefined` where there is no stack of this name. Throws the SDK's other errors. */
export async function stackStatus(
  aws: PreflightClients,
  realm: Realm,
  { stack }: StackNames,
): Promise<string | undefined> {
  try {
    const { Stacks: [found] = [] } = await aws
      .stacks(realm)
      .send(new DescribeStacksCommand({ StackName: stack }));
    return found?.StackStatus;
  } catch (error) {
    // CloudFormation has no name of its own for this.
    if (isNamed(error, 'ValidationError')) return undefined;
    throw error;
  }
}

const DEPLOYED =
  /^(CREATE|UPDATE|IMPORT|UPDATE_ROLLBACK|IMPORT_ROLLBACK)_COMPLETE(_CLEANUP_IN_PROGRESS)?$/;

/** Its names are its own. */
export const isDeployed = (status: string | undefined): boolean =>
  status !== undefined && DEPLOYED.test(status);

/** Pure: the finding on the status of a stack. */
export function stackFound({ stack }: StackNames, status: string | undefined): Found {
  if (status === undefined) return fine(`the stack ${stack} is not there yet`);
  if (isDeployed(status)) return fine(`the stack ${stack} is deployed: its names are its own`);
  if (status === 'REVIEW_IN_PROGRESS' || status === 'ROLLBACK_COMPLETE')
    return fine(`the stack ${stack} is ${status}: cdk deploys it anew`);
  if (status.endsWith('_IN_PROGRESS'))
    return bad(`the stack ${stack} is ${status}`, 'wait until it has ended');
  return bad(
    `the stack ${stack} is ${status}`,
    'see "A first deployment that failed" in docs/runbook.md: mend or delete the stack before the next deployment',
  );
}

/**
 * What has a name of the stack, though there is no such stack. Roles are looked at once for all
 * realms.
 */
export async function namesTaken(
  operator: Operator,
  aws: PreflightClients,
  realm: Realm,
  names: StackNames,
): Promise<readonly Found[]> {
  const { clients, region } = operator;
  const { name: partition } = partitionOf(region(realm));
  const machine = `arn:${partition}:states:${region(realm)}:${await operator.account()}:stateMachine:${names.stateMachine}`;
  const found = await Promise.all([
    ...names.tables.map((name) =>
      there(`table ${name}`, 'ResourceNotFoundException', () =>
        clients.dynamoDb(realm).send(new DescribeTableCommand({ TableName: name })),
      ),
    ),
    there(`state machine ${names.stateMachine}`, 'StateMachineDoesNotExist', () =>
      clients.states(realm).send(new DescribeStateMachineCommand({ stateMachineArn: machine })),
    ),
    there(`key ${names.receiptKey}`, 'NotFoundException', () =>
      clients.keys(realm).send(new DescribeKeyCommand({ KeyId: names.receiptKey })),
    ),
    logGroupsTaken(aws, realm, names),
    bucketsTaken(operator, realm),
  ]);
  const taken = found.flat();
  if (taken.length === 0) return [fine('no name that the stack takes is in use')];
  return [
    bad(
      `${taken.length} names that the stack ${names.stack} takes are in use: ${listed(taken)}`,
      'of a stack that was destroyed: see "A stack that was destroyed" in docs/runbook.md; of something else: give residency.config.ts another name, or the deployment another stage',
    ),
  ];
}

/** `what` where the call finds something, and nothing where AWS says that it is not there. */
async function there(
  what: string,
  absent: string,
  call: () => Promise<unknown>,
): Promise<readonly string[]> {
  try {
    await call();
    return [what];
  } catch (error) {
    if (isNamed(error, absent)) return [];
    throw error;
  }
}

/** Names of buckets are those of all accounts and regions: only one that nobody has is free. */
async function bucketsTaken(operator: Operator, realm: Realm): Promise<readonly string[]> {
  const declared = await declaredBuckets(operator, realm);
  const ours = declared.filter(({ parts: [part] }) => !isOwn(part));
  const found = await Promise.all(
    ours.map(async ({ name }) => {
      const absence = await absenceOf(operator.clients.objects(realm), name);
      return absence?.state === 'missing' ? [] : [`bucket ${name}`];
    }),
  );
  return found.flat();
}

async function logGroupsTaken(
  aws: PreflightClients,
  realm: Realm,
  { logGroups, stack }: StackNames,
): Promise<readonly string[]> {
  const prefixes = [
    `/aws/lambda/${stack}-`,
    ...logGroups.filter((one) => !one.startsWith('/aws/lambda/')),
  ];
  const found: string[] = [];
  for (const logGroupNamePrefix of prefixes) {
    const pages = paginateDescribeLogGroups({ client: aws.logs(realm) }, { logGroupNamePrefix });
    for await (const { logGroups: groups = [] } of pages)
      found.push(...groups.flatMap(({ logGroupName: name }) => name ?? []));
  }
  return logGroups.filter((name) => found.includes(name)).map((name) => `log group ${name}`);
}

/** The first few of them. */
export const listed = (names: readonly string[], most = 4): string =>
  names.length <= most
    ? names.join(', ')
    : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;

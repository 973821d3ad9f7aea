/**
 * Checks of quotas: roles and policies of the account, and what CloudWatch Logs keeps of a region's
 * log deliveries.
 */
import {
  DescribeResourcePoliciesCommand,
  type ResourcePolicy,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  GetAccountSummaryCommand,
  paginateListPolicies,
  paginateListRoles,
} from '@aws-sdk/client-iam';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { bad, type Found, fine } from '../doctor/check.ts';
import type { Operator } from '../operator.ts';
import type { PreflightClients } from './aws.ts';
import type { StackNames } from './names.ts';
import { listed } from './stacks.ts';

type Reads = Pick<Operator, 'residency'>;

/**
 * Whether the roles and policies of these stacks, none of which is deployed, still fit into the
 * account.
 */
export async function roleQuotas(
  { residency: { defaultRealm } }: Reads,
  aws: PreflightClients,
  missing: readonly StackNames[],
): Promise<readonly Found[]> {
  const { SummaryMap: summary = {} } = await aws
    .roles(defaultRealm)
    .send(new GetAccountSummaryCommand({}));
  const sum = (count: (names: StackNames) => number) =>
    missing.reduce((total, names) => total + count(names), 0);
  return [
    quotaFound(
      'roles',
      sum(({ roles }) => roles.length),
      summary['Roles'],
      summary['RolesQuota'],
    ),
    quotaFound(
      'managed policies',
      sum(({ managedPolicies }) => managedPolicies),
      summary['Policies'],
      summary['PoliciesQuota'],
    ),
  ];
}

/** Pure. A number that AWS does not say is no finding. */
export function quotaFound(
  what: string,
  needed: number,
  used = 0,
  quota = Number.POSITIVE_INFINITY,
): Found {
  if (used + needed <= quota)
    return fine(`${needed} more ${what} fit: the account has ${used} of ${quota}`);
  return bad(
    `${needed} more ${what} are needed, and the account has ${used} of ${quota}`,
    `ask for ${used + needed} ${what} of IAM in Service Quotas, or deploy fewer realms (-c realms=…)`,
  );
}

/**
 * Roles and policies have one name in all regions: of stacks that are not deployed, none may be
 * there.
 */
export async function rolesTaken(
  { residency: { defaultRealm } }: Reads,
  aws: PreflightClients,
  missing: readonly StackNames[],
): Promise<readonly Found[]> {
  const wanted = new Set(missing.flatMap(({ roles }) => roles));
  const policies = new Set(missing.map(({ guardPolicy }) => guardPolicy));
  const taken: string[] = [];
  for await (const { Policies: found = [] } of paginateListPolicies(
    { client: aws.roles(defaultRealm), pageSize: 1_000 },
    { Scope: 'Local' },
  ))
    taken.push(
      ...found.flatMap(({ PolicyName: name = '' }) => (policies.has(name) ? `policy ${name}` : [])),
    );
  for await (const { Roles: roles = [] } of paginateListRoles(
    { client: aws.roles(defaultRealm), pageSize: 1_000 },
    {},
  ))
    taken.push(
      ...roles.flatMap(({ RoleName: name = '' }) => (wanted.has(name) ? `role ${name}` : [])),
    );
  if (taken.length === 0) return [fine('no role or policy has a name that the stacks take')];
  return [
    bad(
      `${taken.length} names that the stacks take are in use in IAM: ${listed(taken)}`,
      'delete them if they are left of an earlier deployment; else give residency.config.ts another name, or the deployment another stage',
    ),
  ];
}

/** The quota is a region's, and cannot be raised. */
const MOST_POLICIES = 10;
const MOST_CHARACTERS = 5_120;
/** Room for two more log groups in a policy. */
const ROOM = 400;
/**
 * AWS writes it itself when a log delivery begins, and `vendedlogs` stands there once for all
 * groups below.
 */
const OF_DELIVERY = 'AWSLogDeliveryWrite20150319';

export async function logPolicy(aws: PreflightClients, realm: Realm): Promise<readonly Found[]> {
  const { resourcePolicies: policies = [] } = await aws
    .logs(realm)
    .send(new DescribeResourcePoliciesCommand({ limit: 50 }));
  return [logPolicyFound(policies)];
}

/** Pure: whether AWS can let the logs of workflow and API in. */
export function logPolicyFound(policies: readonly ResourcePolicy[]): Found {
  const own = policies.find(({ policyName: name }) => name?.startsWith(OF_DELIVERY));
  if (own === undefined && policies.length >= MOST_POLICIES)
    return bad(
      `CloudWatch Logs has ${policies.length} resource policies in this region, takes ${MOST_POLICIES}, and needs one for the logs of workflow and API`,
      'delete one that is not needed any more: aws logs describe-resource-policies shows them',
    );
  const document = own?.policyDocument ?? '';
  if (document.length > MOST_CHARACTERS - ROOM && !document.includes('/aws/vendedlogs/'))
    return bad(
      `the resource policy ${OF_DELIVERY} of CloudWatch Logs has ${document.length} of ${MOST_CHARACTERS} characters, and does not let /aws/vendedlogs/ in`,
      'put the resource arn:aws:logs:<region>:<account>:log-group:/aws/vendedlogs/* into it, in place of single groups: aws logs put-resource-policy',
    );
  return fine('CloudWatch Logs can let the logs of workflow and API in');
}

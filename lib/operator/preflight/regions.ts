/**
 * Checks of an account and its regions: who deploys, whether a region is enabled, and whether it is
 * bootstrapped.
 */
import { GetRegionOptStatusCommand } from '@aws-sdk/client-account';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { partitionOf, type Realm } from '../../../lambdas/domain/realm.ts';
import { bootstrapQualifier } from '../../kept-context.ts';
import { bad, type Found, fine } from '../doctor/check.ts';
import type { Operator } from '../operator.ts';
import { printable } from '../terminal/print.ts';
import type { PreflightClients } from './aws.ts';
import { isNamed } from './finding.ts';

type Reads = Pick<Operator, 'account' | 'clients' | 'realms' | 'region'>;

/**
 * The version from which on a bootstrap can deploy these stacks; CDK writes it into each of them.
 */
export const LEAST_BOOTSTRAP = 6;

export async function account({ clients, realms, region }: Reads): Promise<readonly Found[]> {
  const { Account: number = '', Arn: caller = '' } = await clients.identity();
  const partition = caller.split(':')[1] ?? '';
  const elsewhere = realms.find((realm) => partitionOf(region(realm)).name !== partition);
  if (elsewhere !== undefined)
    return [
      bad(
        `the account ${number} is in the partition ${printable(partition, 20)}, and the region ${region(elsewhere)} of realm ${elsewhere} is not`,
        'use credentials of an account there; realms of two partitions cannot be one deployment',
      ),
    ];
  if (caller.endsWith(':root'))
    return [
      bad(
        `these are the credentials of the root user of account ${number}`,
        'use a role that may deploy',
      ),
    ];
  return [fine(`account ${number}, as ${printable(caller, 100)}`)];
}

/**
 * As AWS says it; a region that is not optional is `ENABLED_BY_DEFAULT`. Throws the SDK's errors.
 */
export async function regionStatus(
  aws: PreflightClients,
  realm: Realm,
  name: string,
): Promise<string> {
  const command = new GetRegionOptStatusCommand({ RegionName: name });
  return (await aws.account(realm).send(command)).RegionOptStatus ?? 'unknown';
}

export const isEnabled = (status: string): boolean =>
  status === 'ENABLED' || status === 'ENABLED_BY_DEFAULT';

/** Pure: the finding on the status of a region. */
export function regionFound(name: string, status: string): Found {
  if (isEnabled(status)) return fine(`the region ${name} is enabled`);
  if (status === 'ENABLING')
    return bad(`the region ${name} is being enabled`, 'wait until it is: that can take hours');
  return bad(
    `the region ${name} is not enabled in this account (${printable(status, 20)})`,
    `enable it under "AWS Regions" of the account's settings, or by aws account enable-region --region-name ${name}`,
  );
}

export async function bootstrap(
  { account: accountOf, region }: Reads,
  aws: PreflightClients,
  realm: Realm,
): Promise<readonly Found[]> {
  const parameter = `/cdk-bootstrap/${bootstrapQualifier()}/version`;
  const fix = `npx cdk bootstrap aws://${await accountOf()}/${region(realm)}`;
  try {
    const command = new GetParameterCommand({ Name: parameter });
    const { Parameter: found } = await aws.parameters(realm).send(command);
    const version = Number(found?.Value);
    if (version >= LEAST_BOOTSTRAP) return [fine(`bootstrapped, version ${version}`)];
    return [
      bad(
        `the bootstrap of ${region(realm)} has the version ${printable(found?.Value, 20)}, and ${LEAST_BOOTSTRAP} is needed`,
        fix,
      ),
    ];
  } catch (error) {
    if (!isNamed(error, 'ParameterNotFound')) throw error;
    return [bad(`the region ${region(realm)} is not bootstrapped: there is no ${parameter}`, fix)];
  }
}

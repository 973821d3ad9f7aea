/** The clients that only `preflight` needs. */
import { AccountClient } from '@aws-sdk/client-account';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { IAMClient } from '@aws-sdk/client-iam';
import { Route53Client } from '@aws-sdk/client-route-53';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { Operator } from '../operator.ts';

export type PreflightClients = ReturnType<typeof preflightClients>;

/** Each by realm: in its region, or where the service has one endpoint for all, at that one. */
export const preflightClients = ({ clients: { others } }: Pick<Operator, 'clients'>) => ({
  account: others('account', (config) => new AccountClient(config)),
  stacks: others('cloudformation', (config) => new CloudFormationClient(config)),
  logs: others('logs', (config) => new CloudWatchLogsClient(config)),
  roles: others('iam', (config) => new IAMClient(config)),
  domains: others('route53', (config) => new Route53Client(config)),
  parameters: others('ssm', (config) => new SSMClient(config)),
});

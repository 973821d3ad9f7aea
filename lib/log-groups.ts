/**
 * The names of the log groups. They are deterministic, so that queries can name them before they
 * exist.
 */
import type { Deployment } from './deployment.ts';
import { wordOf } from './entries.ts';

type Named = Pick<Deployment, 'names'>;

export const lambdaLog = ({ names }: Named, entry: string): string =>
  `/aws/lambda/${names.lambda(wordOf(entry))}`;

/**
 * With the prefix `vendedlogs` a group stays out of the region's log policy, which holds at most
 * 5,120 characters.
 */
export const workflowLog = ({ names }: Named): string =>
  `/aws/vendedlogs/states/${names.stateMachine}`;

export const accessLog = ({ names }: Named): string => `/aws/vendedlogs/apigateway/${names.prefix}`;

/**
 * The ARN patterns of all logs of a realm. IAM wants both forms: some calls name a group as it is,
 * others with a star for its streams.
 */
export const logPatterns = (deployment: Named): readonly string[] => [
  lambdaLogPattern(deployment),
  ...[workflowLog(deployment), accessLog(deployment)].flatMap((log) => [log, `${log}:*`]),
];

const lambdaLogPattern = ({ names }: Named): string => `/aws/lambda/${names.prefix}-*`;

/** Where logs are kept, by deterministic names: queries name them as text, before anything exists. */
import type { Deployment } from './deployment.ts';
import { wordOf } from './entries.ts';

type Named = Pick<Deployment, 'names'>;

export const lambdaLog = ({ names }: Named, entry: string): string =>
  `/aws/lambda/${names.lambda(wordOf(entry))}`;

/** The prefix `vendedlogs` keeps a group out of the region's log policy, which ends at 5,120 characters. */
export const workflowLog = ({ names }: Named): string =>
  `/aws/vendedlogs/states/${names.stateMachine}`;

export const accessLog = ({ names }: Named): string => `/aws/vendedlogs/apigateway/${names.prefix}`;

/** All of a realm's, as IAM wants them: some calls name a group as it is, others with a star for its streams. */
export const logPatterns = (deployment: Named): readonly string[] => [
  lambdaLogPattern(deployment),
  ...[workflowLog(deployment), accessLog(deployment)].flatMap((log) => [log, `${log}:*`]),
];

const lambdaLogPattern = ({ names }: Named): string => `/aws/lambda/${names.prefix}-*`;

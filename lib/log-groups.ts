/** Where logs are kept, by deterministic names: queries name them as text, before anything exists. */
import type { Deployment } from './deployment.ts';
import { entriesOf, wordOf } from './entries.ts';

type Named = Pick<Deployment, 'names'>;

export const lambdaLog = ({ names }: Named, entry: string): string =>
  `/aws/lambda/${names.lambda(wordOf(entry))}`;

export const lambdaLogs = (deployment: Named & Pick<Deployment, 'residency'>): readonly string[] =>
  entriesOf(deployment.residency).map((entry) => lambdaLog(deployment, entry));

/** The prefix keeps the group out of the account's resource policy, which has a size limit. */
export const workflowLog = ({ names }: Named): string =>
  `/aws/vendedlogs/states/${names.stateMachine}`;

export const accessLog = ({ names }: Named): string => `/aws/apigateway/${names.prefix}`;

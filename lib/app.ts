/**
 * The CDK app: one stack per realm. The stacks differ only by their row in `residency.config.ts`.
 */

import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { defined } from '../lambdas/domain/defined.ts';
import { deployedIn } from '../lambdas/domain/deployed-realms.ts';
import { stackRows } from '../lambdas/domain/realm.ts';
import type { Residency } from '../lambdas/domain/residency.ts';
import { inAscii } from './ascii.ts';
import { deploymentOf } from './deployment.ts';
import { RealmStack } from './realm-stack.ts';

export interface ResidencyAppOptions {
  readonly residency: Residency;
  /** Folder that holds the bundles of all Lambdas. */
  readonly code: string;
  /** Where it is left out, the stacks fit any account. */
  readonly account?: string;
  /**
   * The values that the command line gives with `-c`: `stage`, `realms` (those that are deployed,
   * separated by commas), `domain`, `hostedZoneId`, `otherWritersSeconds`, `reservedConcurrency`,
   * `concurrency`, `forgeEnvironment`, `smokePublicKey`, `alarmEmail`, `alarmUrl`,
   * `installKeyServers` (one or two, separated by commas), `copyAhead` (`off`).
   */
  readonly context?: Readonly<Record<string, unknown>>;
}

export function residencyApp(options: ResidencyAppOptions): App {
  const { code, account, context = {} } = options;
  const app = new App({ context });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

  const given = (key: string): string | undefined => {
    const value: unknown = app.node.tryGetContext(key);
    return value === undefined ? undefined : String(value);
  };
  const stage = given('stage') ?? 'dev';
  const realms = given('realms');
  const residency = deployedIn(options.residency, realms);
  const domain = given('domain');
  const hostedZoneId = given('hostedZoneId');
  const otherWritersSeconds = given('otherWritersSeconds');
  const reservedConcurrency = given('reservedConcurrency');
  const concurrency = given('concurrency');
  const smokePublicKey = given('smokePublicKey');
  const forgeEnvironment = given('forgeEnvironment');
  const installKeyServers = given('installKeyServers');
  const copyAhead = given('copyAhead');
  const email = given('alarmEmail');
  const url = given('alarmUrl');

  for (const row of stackRows(residency.realms)) {
    const deployment = deploymentOf({
      residency,
      stage,
      row,
      ...(realms !== undefined && { isSubset: true }),
      ...(otherWritersSeconds !== undefined && {
        otherWritersSeconds: Number(otherWritersSeconds),
      }),
      ...defined({ domain, hostedZoneId }),
      ...(reservedConcurrency !== undefined && {
        reservedConcurrency: Number(reservedConcurrency),
      }),
      ...(concurrency !== undefined && { concurrency: Number(concurrency) }),
      ...defined({ smokePublicKey, forgeEnvironment, copyAhead }),
      ...(installKeyServers !== undefined && { installKeyServers: installKeyServers.split(',') }),
      alarmsTo: { ...defined({ email, url }) },
    });
    new RealmStack(app, `${residency.name}-${row.realm}`, {
      stackName: `${residency.name}-${stage}-${row.realm}`,
      description: `${inAscii(residency.app.name)}: tenants of realm ${row.realm}`,
      env: { region: row.region, ...defined({ account }) },
      terminationProtection: deployment.isProtected,
      deployment,
      code,
    });
  }
  return app;
}

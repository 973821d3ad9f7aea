/**
 * Counts the 5xx answers to Atlassian's hooks in the access log. The log also has the 5xx that API
 * Gateway gives for a function that timed out or was throttled. The app's own routes are left out,
 * because a fence answers 503 there in every move.
 */
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, type ILogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Realm } from '../lambdas/domain/realm.ts';
import { physicalNames, type Residency } from '../lambdas/domain/residency.ts';
import type { Deployment } from './deployment.ts';
import { ROUTES, type Route } from './routes.ts';

/** Routes with these schemes are not hooks: people or health checks call them. */
const NO_HOOK: readonly Route['scheme'][] = ['context-jwt', 'forge-context', 'public'];

/**
 * A filter pattern of CloudWatch Logs, at most 1,024 characters. Hooks in one folder share a clause
 * where the folder holds hooks only.
 */
export function hookErrorPattern(routes: readonly Route[] = ROUTES): string {
  const isHook = ({ scheme }: Route) => !NO_HOOK.includes(scheme);
  const folderOf = ({ method, path }: Route) =>
    `${method} ${path.slice(0, path.lastIndexOf('/') + 1)}`;
  const shared = new Set(routes.filter((route) => !isHook(route)).map(folderOf));
  const clauses = new Set(
    routes.filter(isHook).map((route) => {
      const isAlone = shared.has(folderOf(route)) || folderOf(route).endsWith(' /');
      return `($.route = "${isAlone ? `${route.method} ${route.path}` : `${folderOf(route)}*`}")`;
    }),
  );
  return `{ ($.httpStatus = "5*") && (${[...clauses].join(' || ')}) }`;
}

/**
 * A log filter can take dimensions only from fields of the lines, so the name of the metric holds
 * the realm.
 */
export const hookErrorsOf = (residency: Pick<Residency, 'name'>, stage: string, realm: Realm) =>
  new Metric({
    namespace: residency.name,
    metricName: `${physicalNames(residency, stage, realm).prefix}-hooks-5xx`,
    statistic: 'Sum',
  });

export function countHookErrors(
  scope: Construct,
  logGroup: ILogGroup,
  { residency, stage, realm }: Deployment,
): Metric {
  const metric = hookErrorsOf(residency, stage, realm);
  new MetricFilter(scope, 'HookErrors', {
    logGroup,
    filterName: 'hooks-5xx',
    filterPattern: FilterPattern.literal(hookErrorPattern()),
    metricNamespace: metric.namespace,
    metricName: metric.metricName,
    metricValue: '1',
  });
  return metric;
}

/**
 * Answers 5xx to Atlassian's hooks, counted in the access log: also those that API Gateway gives for a function that timed
 * out or was throttled, and not those of the app's own routes, where a fence answers 503 in the course of every move.
 */
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, type ILogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Realm } from '../lambdas/domain/realm.ts';
import { physicalNames, type Residency } from '../lambdas/domain/residency.ts';
import type { Deployment } from './deployment.ts';
import { ROUTES, type Route } from './routes.ts';

/** What serves people, or nobody in particular, is no hook. */
const NO_HOOK: readonly Route['scheme'][] = ['context-jwt', 'forge-context', 'public'];

/** A pattern of CloudWatch Logs, at most 1,024 characters; hooks in one folder share a clause if nothing else is in it. */
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

/** A filter on a log has no dimensions that are not in its lines: the name says which realm it is. */
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

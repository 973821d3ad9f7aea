/** DATA: every route of a realm. The CDK stack and the local host both read it. */
import type { Residency } from '../lambdas/domain/residency.ts';

/**
 * How the requests of a route are authenticated. The word describes and enforces nothing: the
 * handler in `entry` checks the token, and tests send each route the requests that its word says.
 */
export type Scheme =
  | 'signed-install'
  | 'connect-jwt'
  | 'context-jwt'
  | 'forge-lifecycle'
  | 'forge-hook'
  | 'forge-context'
  | 'public';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Literal, except where the sample app takes an `{id}`. */
  readonly path: string;
  /** File below `lambdas/` that holds the handler, without `.ts`. */
  readonly entry: string;
  readonly scheme: Scheme;
  /** Requests per second, and burst, that API Gateway lets through on this route. */
  readonly throttle: { readonly rate: number; readonly burst: number };
}

/**
 * When one maintenance window opens for a whole fleet, 200 schedules or starts arrive within a
 * second.
 */
const HOOK = { rate: 100, burst: 250 };
const LIFECYCLE = { rate: 50, burst: 100 };
const PUBLIC = { rate: 20, burst: 40 };
const APP = { rate: 100, burst: 200 };

/** Routes of apps that have a Forge manifest. */
const FORGE_ROUTES: readonly Route[] = [
  ...(['installed', 'upgraded', 'uninstalled'] as const).map(
    (event): Route => ({
      method: 'POST',
      path: `/forge/lifecycle/${event}`,
      entry: 'hooks/forge-lifecycle',
      scheme: 'forge-lifecycle',
      throttle: LIFECYCLE,
    }),
  ),
  ...(['schedule', 'start', 'status', 'commit', 'rollback'] as const).map(
    (hook): Route => ({
      method: hook === 'status' ? 'GET' : 'POST',
      path: `/forge/migration/${hook}`,
      entry: `hooks/${hook}`,
      scheme: 'forge-hook',
      throttle: HOOK,
    }),
  ),
  ...(['GET', 'PUT', 'DELETE'] as const).map(
    (method): Route => ({
      method,
      path: '/forge/templates/{id}',
      entry: 'sample-app/templates',
      scheme: 'forge-context',
      throttle: APP,
    }),
  ),
  {
    method: 'POST',
    path: '/forge/exports',
    entry: 'sample-app/exports',
    scheme: 'forge-context',
    throttle: APP,
  },
  {
    method: 'GET',
    path: '/forge/exports/{id}',
    entry: 'sample-app/exports',
    scheme: 'forge-context',
    throttle: APP,
  },
];

const CONNECT_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/installed',
    entry: 'hooks/installed',
    scheme: 'signed-install',
    throttle: LIFECYCLE,
  },
  {
    method: 'POST',
    path: '/uninstalled',
    entry: 'hooks/uninstalled',
    scheme: 'signed-install',
    throttle: LIFECYCLE,
  },
  {
    method: 'POST',
    path: '/dare-migration/schedule',
    entry: 'hooks/schedule',
    scheme: 'connect-jwt',
    throttle: HOOK,
  },
  {
    method: 'POST',
    path: '/dare-migration/start',
    entry: 'hooks/start',
    scheme: 'connect-jwt',
    throttle: HOOK,
  },
  {
    method: 'GET',
    path: '/dare-migration/status',
    entry: 'hooks/status',
    scheme: 'connect-jwt',
    throttle: HOOK,
  },
  {
    method: 'POST',
    path: '/dare-migration/commit',
    entry: 'hooks/commit',
    scheme: 'connect-jwt',
    throttle: HOOK,
  },
  {
    method: 'POST',
    path: '/dare-migration/rollback',
    entry: 'hooks/rollback',
    scheme: 'connect-jwt',
    throttle: HOOK,
  },
  {
    method: 'GET',
    path: '/atlassian-connect.json',
    entry: 'hooks/descriptor',
    scheme: 'public',
    throttle: PUBLIC,
  },
  { method: 'GET', path: '/health', entry: 'hooks/health', scheme: 'public', throttle: PUBLIC },
  // Beside an existing app, `/health` belongs to that app; a router sends us what is below
  // `/dare-migration`.
  {
    method: 'GET',
    path: '/dare-migration/health',
    entry: 'hooks/health',
    scheme: 'public',
    throttle: PUBLIC,
  },
  {
    method: 'GET',
    path: '/templates/{id}',
    entry: 'sample-app/templates',
    scheme: 'context-jwt',
    throttle: APP,
  },
  {
    method: 'PUT',
    path: '/templates/{id}',
    entry: 'sample-app/templates',
    scheme: 'context-jwt',
    throttle: APP,
  },
  {
    method: 'DELETE',
    path: '/templates/{id}',
    entry: 'sample-app/templates',
    scheme: 'context-jwt',
    throttle: APP,
  },
  {
    method: 'POST',
    path: '/exports',
    entry: 'sample-app/exports',
    scheme: 'context-jwt',
    throttle: APP,
  },
  {
    method: 'GET',
    path: '/exports/{id}',
    entry: 'sample-app/exports',
    scheme: 'context-jwt',
    throttle: APP,
  },
];

export const ROUTES: readonly Route[] = [...CONNECT_ROUTES, ...FORGE_ROUTES];

/** The routes of this app. Without a Forge manifest it has no Forge routes. */
export const routesOf = ({ app }: Pick<Residency, 'app'>): readonly Route[] =>
  app.forge === undefined ? CONNECT_ROUTES : ROUTES;

/**
 * One Lambda per kind of workflow state. The ASL file names each one as a substitution in camel
 * case (`${copyRange}`).
 */
export const WORKFLOW_TASKS = [
  'prepare-ahead',
  'copy-ahead-range',
  'finish-ahead',
  'prepare-copy',
  'clear-target-range',
  'copy-range',
  'verify-range',
  'finish-copy',
  'begin-commit',
  'pass-point-of-no-return',
  'purge-source-range',
  'finish-commit',
  'begin-restore',
  'restore-source-range',
  'finish-restore',
  'begin-rollback',
  'release-source',
  'discard-target-range',
  'finish-rollback',
  'fail-migration',
] as const;

/**
 * Lambdas outside the workflow: EventBridge calls them when an execution failed or by a schedule,
 * operators call the others.
 */
export const BACKGROUND_TASKS = [
  'settle',
  'janitor',
  'measure',
  'purge-retired',
  'operate',
  'tenants',
  'rehearse',
] as const;

/**
 * The tasks that a schedule calls, and how often. What one run leaves undone, the next run does.
 */
export const SCHEDULES = [
  {
    task: 'janitor',
    minutes: 5,
    does: 'Drives migrations to their end that nothing else drives.',
  },
  { task: 'measure', minutes: 15, does: 'Counts the tenants that are scheduled to move.' },
  {
    task: 'purge-retired',
    minutes: 60,
    does: 'Purges what tenants left behind that were uninstalled 30 days ago.',
  },
] as const satisfies readonly {
  readonly task: (typeof BACKGROUND_TASKS)[number];
  readonly minutes: number;
  readonly does: string;
}[];

/** `copy-range` → `copyRange`: the name of the substitution in the ASL file. */
export const substitutionOf = (task: string) =>
  task.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

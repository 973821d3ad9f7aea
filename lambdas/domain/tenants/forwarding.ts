/**
 * Beside an existing app: decides which realm's app gets a lifecycle event, and when it must not.
 */
import { A_BASE_URL, baseUrlIn } from '../operating/urls.ts';
import { type Realm, type RealmRow, stackRows } from '../realm.ts';
import type { TenantRecord } from './tenant.ts';

/**
 * Per realm, the base URL of the vendor's app there. One text serves a configuration with one stack
 * only: a secret that de received must never reach the app in us.
 */
export type ForwardUrls = string | Readonly<Record<Realm, string>> | ((realm: Realm) => string);

/** What can be passed on: the paths of our lifecycle hooks, below the app's base URL. */
export const FORWARDED_PATHS = [
  '/installed',
  '/uninstalled',
  '/forge/lifecycle/installed',
  '/forge/lifecycle/upgraded',
  '/forge/lifecycle/uninstalled',
] as const;
export type ForwardedPath = (typeof FORWARDED_PATHS)[number];

export interface ForwardingApp {
  readonly app: {
    readonly installedForwardUrl?: ForwardUrls;
    readonly forwardedPaths?: readonly ForwardedPath[];
  };
  readonly realms: readonly RealmRow[];
}

/**
 * Without a trailing slash; `undefined` where nothing is forwarded. Throws a sentence for an
 * ambiguous configuration.
 */
export function forwardUrlOf({ app, realms }: ForwardingApp, realm: Realm): string | undefined {
  const urls = app.installedForwardUrl;
  if (urls === undefined) return undefined;
  const stacks = stackRows(realms).map((row) => row.realm);
  if (typeof urls === 'string') {
    if (stacks.length > 1)
      throw new Error(
        `app.installedForwardUrl is one URL for ${stacks.length} realms: give one per realm, { ${stacks.join(': …, ')}: … }, or a secret is passed on to the app of another realm`,
      );
    return checkedUrl(realm, urls);
  }
  if (typeof urls === 'function') return checkedUrl(realm, urls(realm));
  const strange = Object.keys(urls).find((name) => !stacks.includes(name));
  if (strange !== undefined)
    throw new Error(
      `app.installedForwardUrl names realm "${strange}", which has no stack: there are ${stacks.join(', ')}`,
    );
  return checkedUrl(realm, urls[realm]);
}

/** Called when the configuration is loaded: every realm with a stack has a URL, or none has. */
export function checkForwardUrls(residency: ForwardingApp): void {
  const { installedForwardUrl, forwardedPaths } = residency.app;
  if (forwardedPaths !== undefined && installedForwardUrl === undefined)
    throw new Error(
      'app.forwardedPaths says what is passed on, and app.installedForwardUrl not where',
    );
  const known: readonly unknown[] = FORWARDED_PATHS;
  const strange = forwardedPaths?.find((path) => !known.includes(path));
  if (strange !== undefined)
    throw new Error(
      `app.forwardedPaths names ${strange}, which is not passed on: there are ${FORWARDED_PATHS.join(', ')}`,
    );
  for (const { realm } of stackRows(residency.realms)) forwardUrlOf(residency, realm);
}

function checkedUrl(realm: Realm, value: unknown): string {
  const url = baseUrlIn(value);
  if (url === undefined)
    throw new Error(`app.installedForwardUrl of realm ${realm} is ${A_BASE_URL}`);
  return url;
}

/**
 * How an event on this path is passed on. `if-handled`: 404 and 405 mean that the app has no
 * handler.
 */
export function forwardingOf(
  path: ForwardedPath,
  forwardedPaths: readonly ForwardedPath[] | undefined,
): 'always' | 'if-handled' | 'never' {
  if (forwardedPaths !== undefined) return forwardedPaths.includes(path) ? 'always' : 'never';
  return path === '/installed' ? 'always' : 'if-handled';
}

export type LifecycleEvent = 'installed' | 'upgraded' | 'uninstalled';

/**
 * `yes`: the app of this realm gets the event. `superseded`: the record has something newer, which
 * the app has got or will get. `not-served`: the tenant is in a move, or not served here, and a
 * write of the app would pass the guard.
 */
export type ForwardVerdict = 'yes' | 'superseded' | 'not-served';

/**
 * `record` is read after the hook has made its own writes; `sharedSecret` is what an installation
 * by Connect brought.
 */
export function forwardVerdict(
  event: LifecycleEvent,
  record: TenantRecord | undefined,
  sharedSecret?: string,
): ForwardVerdict {
  if (event === 'uninstalled') {
    // The app may know tenants that have no record here yet.
    if (record === undefined || record.state === 'retired') return 'yes';
    return record.state === 'active' ? 'superseded' : 'not-served';
  }
  if (record?.state === 'retired') return 'superseded';
  if (record?.state !== 'active') return 'not-served';
  const isStanding = sharedSecret === undefined || record.credentials.sharedSecret === sharedSecret;
  return isStanding ? 'yes' : 'superseded';
}

/** Where the local host passes installations on to: to an app on this machine, never by accident to one in production. */
import { type Realm, stackRows } from '../../lambdas/domain/realm.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import {
  type ForwardUrls,
  forwardUrlOf,
  isOnThisMachine,
} from '../../lambdas/domain/tenants/forwarding.ts';
import type { Log } from '../../lambdas/ports.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Realm to URL, and `''` where nothing is forwarded. `INSTALLED_FORWARD_URLS` (realm to URL, as JSON), or
 * `INSTALLED_FORWARD_URL` where there is one realm, stand in for the configuration's. Of the configuration's only those
 * on this machine count: what is installed here is no installation for an app elsewhere.
 */
export function localForwardUrls(
  residency: Residency,
  env: Environment,
  log: Pick<Log, 'warn'> | undefined,
): Readonly<Record<Realm, string>> {
  const said = saidIn(env);
  const { realms } = residency;
  const app = said === undefined ? residency.app : { installedForwardUrl: said };
  return Object.fromEntries(
    stackRows(realms).map(({ realm }) => {
      const url = forwardUrlOf({ app, realms }, realm);
      if (url === undefined) return [realm, ''];
      if (said !== undefined || isOnThisMachine(new URL(url))) return [realm, url];
      log?.warn(`installations in ${realm} are not forwarded to ${url}: it is not on this machine`);
      return [realm, ''];
    }),
  );
}

function saidIn(env: Environment): ForwardUrls | undefined {
  const urls = env['INSTALLED_FORWARD_URLS'];
  if (!urls) return env['INSTALLED_FORWARD_URL'] || undefined;
  return recordIn('INSTALLED_FORWARD_URLS', urls);
}

/** Realm to URL, from an environment variable that holds JSON. */
export function recordIn(name: string, text: string): Readonly<Record<string, string>> {
  const refusal = new Error(
    `${name} is a JSON object of realm to URL, such as {"us":"http://127.0.0.1:9001"}`,
  );
  const value = parsed(text, refusal);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refusal;
  return Object.fromEntries(
    Object.entries(value).map(([realm, url]) => {
      if (typeof url !== 'string') throw refusal;
      return [realm, url];
    }),
  );
}

function parsed(text: string, refusal: Error): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal;
  }
}

/**
 * The URLs to which the local host forwards installations: of an app on this machine, never by
 * accident of one in production.
 */
import { isOnThisMachine } from '../../lambdas/domain/operating/urls.ts';
import { type Realm, stackRows } from '../../lambdas/domain/realm.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { type ForwardUrls, forwardUrlOf } from '../../lambdas/domain/tenants/forwarding.ts';
import type { Log } from '../../lambdas/ports.ts';
import { recordIn } from '../local-base-urls.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Realm to URL; `''` where nothing is forwarded. `INSTALLED_FORWARD_URLS` (realm to URL, as JSON)
 * replaces the configuration's URLs, as does `INSTALLED_FORWARD_URL` where there is one realm. Of
 * the configuration's URLs only those on this machine count: an installation on a local host is
 * none for an app elsewhere.
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
      if (said !== undefined || isOnThisMachine(url)) return [realm, url];
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

/**
 * The base URLs of a local host's realms: behind a router on this machine, or on their own ports.
 */
import { A_BASE_URL, baseUrlIn, isOnThisMachine } from '../lambdas/domain/operating/urls.ts';
import { type Realm, stackOf } from '../lambdas/domain/realm.ts';
import { baseUrlsOf, type Residency } from '../lambdas/domain/residency.ts';

export interface LocalBaseUrls {
  readonly urls: Readonly<Record<Realm, string>>;
  /** Realms whose configured URL is on another machine, and so not the local host's. */
  readonly elsewhere: readonly (readonly [Realm, string])[];
}

/**
 * `BASE_URLS` (realm to URL, as JSON) counts first, with any URL. The configuration's URLs count
 * where they are on this machine: with a deployment's URLs, the simulated Atlassian would call the
 * deployed app. Else a realm has `own`, the URL of its own port.
 */
export function localBaseUrls(
  residency: Residency,
  env: Readonly<Record<string, string | undefined>>,
  own: (stack: Realm) => string,
): LocalBaseUrls {
  const { realms } = residency;
  const said = env['BASE_URLS'] ? recordIn('BASE_URLS', env['BASE_URLS']) : {};
  for (const [realm, url] of Object.entries(said)) {
    if (!realms.some((row) => row.realm === realm))
      throw new Error(`BASE_URLS names realm "${realm}", which is not configured`);
    if (baseUrlIn(url) === undefined)
      throw new Error(`BASE_URLS: that of realm ${realm} is ${A_BASE_URL}`);
  }
  const configured = baseUrlsOf(residency, 'local');
  const elsewhere: (readonly [Realm, string])[] = [];
  const urlOf = (realm: Realm): string => {
    const stack = stackOf(realms, realm);
    const spoken = baseUrlIn(said[stack]);
    if (spoken !== undefined) return spoken;
    const url = configured[stack];
    if (url !== undefined && isOnThisMachine(url)) return url;
    if (url !== undefined && stack === realm) elsewhere.push([realm, url]);
    return own(stack);
  };
  const urls = Object.fromEntries(realms.map(({ realm }) => [realm, urlOf(realm)]));
  return { urls, elsewhere };
}

/** Parses an environment variable that holds JSON of realm to URL. */
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

/** Base URLs in the one spelling that Atlassian, a router and this app share. */
import { type Realm, type RealmRow, stackRows } from '../realm.ts';

const LOOPBACK: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/** True for a plain-HTTP loopback address, as the local host uses. */
export const isOnThisMachine = (url: string): boolean => {
  const parsed = URL.parse(url);
  return parsed?.protocol === 'http:' && LOOPBACK.includes(parsed.hostname);
};

/**
 * The one spelling: lower-case host, no default port, no trailing slash, and the URL's own path.
 * `undefined` where it is no `https://` URL (or `http://` on this machine), or has credentials, a
 * query or a fragment.
 */
export function baseUrlIn(value: unknown): string | undefined {
  const parsed = typeof value === 'string' ? URL.parse(value) : null;
  if (parsed === null || /[?#\s]/.test(String(value))) return undefined;
  const isSafe = parsed.protocol === 'https:' || isOnThisMachine(parsed.href);
  if (!isSafe || parsed.username !== '' || parsed.password !== '') return undefined;
  return parsed.href.replace(/\/+$/, '');
}

export const A_BASE_URL = 'an https:// URL without credentials, query or fragment';

/** Realm → base URL, or a list of URLs with the base URL first. */
export type BaseUrls = Readonly<Record<Realm, string | readonly string[]>>;

export const listedUrls = (said: string | readonly string[]): readonly string[] =>
  typeof said === 'string' ? [said] : said;

/**
 * What install tokens of a realm may be made out to beside its base URL, in the one spelling. With
 * a domain there is nothing: its URLs follow from it.
 */
export function otherAudiences(
  { domain, baseUrls = {} }: Pick<Addressed, 'domain' | 'baseUrls'>,
  realm: Realm,
): readonly string[] {
  if (domain !== undefined) return [];
  return listedUrls(baseUrls[realm] ?? []).flatMap((url) => baseUrlIn(url) ?? []);
}

export interface Addressed {
  readonly realms: readonly RealmRow[];
  readonly domain?: string;
  readonly baseUrls?: BaseUrls;
}

/** Called when the configuration is loaded; throws a sentence that says what to change. */
export function checkBaseUrls({ realms, domain, baseUrls = {} }: Addressed): void {
  if (domain !== undefined && !/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/.test(domain))
    throw new Error(
      `domain "${domain}" is a name such as app.example.com, in lower case, without https:// and without a path`,
    );
  const stacks = stackRows(realms).map(({ realm }) => realm);
  const known = realms.map(({ realm }) => realm);
  const urls = new Map<string, Realm>();
  const said = Object.entries(baseUrls).flatMap(([realm, urls]) => {
    if (!known.includes(realm))
      throw new Error(`baseUrls names realm "${realm}": there are ${known.join(', ')}`);
    const listed = listedUrls(urls);
    if (!Array.isArray(listed) || listed.length === 0)
      throw new Error(`baseUrls: that of realm ${realm} is one URL, or a list of at least one`);
    return listed.map((text) => ({ realm, text }));
  });
  for (const { realm, text } of said) {
    const url = baseUrlIn(text);
    if (url === undefined) throw new Error(`baseUrls: that of realm ${realm} is ${A_BASE_URL}`);
    const other = urls.get(url);
    if (other !== undefined && stacks.includes(realm) && stacks.includes(other))
      throw new Error(
        `baseUrls: realms ${other} and ${realm} have the same URL, ${url}, and each has a stack of its own`,
      );
    urls.set(url, realm);
  }
}

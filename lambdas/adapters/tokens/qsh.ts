/**
 * The query string hash that binds a token to a request (protocol: "Understanding JWT for Connect
 * apps", canonical request). atlassian-jwt 2.0.3 is not used for it, because it strips a base path
 * in mid-segment and sorts names before it encodes them.
 */
import { createHash } from 'node:crypto';

/**
 * `path` is literal, as the route declares it, without the base URL's own path; `rawQuery` is what
 * came over the wire.
 */
export function queryStringHash(method: string, path: string, rawQuery: string): string {
  return createHash('sha256')
    .update(canonicalRequest(method, path, rawQuery))
    .digest('hex');
}

export function canonicalRequest(method: string, path: string, rawQuery: string): string {
  return [method.toUpperCase(), canonicalPath(path), canonicalQuery(rawQuery)].join('&');
}

function canonicalPath(path: string): string {
  const slashed = path.startsWith('/') ? path : `/${path}`;
  const trimmed = slashed.length > 1 ? slashed.replace(/\/$/, '') : slashed;
  return trimmed.replaceAll('&', '%26');
}

function canonicalQuery(rawQuery: string): string {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(rawQuery)) {
    if (name === 'jwt') continue;
    const encoded = encode(name);
    values.set(encoded, [...(values.get(encoded) ?? []), value]);
  }
  // Names are sorted after encoding, values before: Atlassian's interoperability vectors require
  // it.
  return [...values.keys()]
    .sort()
    .map((name) => `${name}=${(values.get(name) ?? []).sort().map(encode).join(',')}`)
    .join('&');
}

/** RFC 3986: only unreserved characters stay as they are. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

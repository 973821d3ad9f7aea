/**
 * Makes the tokens that Atlassian signs, from the protocol alone: this file shares nothing with the
 * code that verifies tokens.
 */

import { createHash, createHmac, type KeyObject, randomUUID, sign } from 'node:crypto';
import { FORGE_ENVIRONMENT } from '../lambdas/domain/residency.ts';

/** The parts of a request that a signature covers. */
export interface SignedRequest {
  readonly method: string;
  /** Absolute: base URL of the app, path and query. */
  readonly url: string;
  /** Base URL of the app. Its path is not signed. */
  readonly baseUrl: string;
}

/** A key pair. The key server hands out the public half under `kid`. */
export interface InstallKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

const LIFETIME_SECONDS = 180;

/**
 * Signs a token for `/installed` and `/uninstalled`: RS256. `iat` in epoch seconds; the same second
 * gives the same token.
 */
export function installToken(
  key: InstallKey,
  clientKey: string,
  request: SignedRequest,
  iat: number = secondsNow(),
): string {
  const claims = { iss: clientKey, aud: [request.baseUrl], ...validity(iat), qsh: qshOf(request) };
  return rs256(key, claims);
}

/** Signs a token for a migration hook: HS256 with the tenant's secret, bound to one request. */
export const hookToken = (clientKey: string, secret: string, request: SignedRequest): string =>
  hs256({ iss: clientKey, ...validity(), qsh: qshOf(request) }, secret);

/**
 * Signs a token for the app's pages in a browser: good for any request of the app, refused by the
 * hooks.
 */
export const contextToken = (clientKey: string, secret: string): string =>
  hs256({ iss: clientKey, sub: 'account-1', ...validity(), qsh: 'context-qsh' }, secret);

/** The caller, as a Forge invocation token names it. */
export interface Invocation {
  readonly appId: string;
  readonly installationId: string;
  readonly cloudId: string;
  readonly product: string;
  readonly environment?: string;
}

const INVOCATION_SECONDS = 25;

/** The claims of a Forge invocation token. They are not bound to a request. */
export function invocationClaims(invocation: Invocation): Readonly<Record<string, unknown>> {
  const { appId, installationId, cloudId, product, environment = FORGE_ENVIRONMENT } = invocation;
  const iat = secondsNow();
  const apiBaseUrl = `https://api.atlassian.com/ex/${product}/${cloudId}`;
  return {
    iss: 'forge/invocation-token',
    aud: appId,
    iat,
    nbf: iat,
    exp: iat + INVOCATION_SECONDS,
    jti: randomUUID(),
    app: {
      id: appId,
      version: '1.0.0',
      installationId,
      apiBaseUrl,
      environment: { type: environment, id: `ari:cloud:ecosystem::environment/${randomUUID()}` },
      installation: {
        id: installationId,
        contexts: [{ name: product, cloudId, apiBaseUrl }],
      },
    },
  };
}

/** Signs a token for a request through Forge: RS256, with a key of Forge. */
export const invocationToken = (key: InstallKey, invocation: Invocation): string =>
  rs256(key, invocationClaims(invocation));

function rs256(key: InstallKey, claims: object): string {
  const unsigned = `${encoded({ alg: 'RS256', typ: 'JWT', kid: key.kid })}.${encoded(claims)}`;
  return `${unsigned}.${sign('sha256', Buffer.from(unsigned), key.privateKey).toString('base64url')}`;
}

function hs256(claims: object, secret: string): string {
  const unsigned = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`;
  return `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`;
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const secondsNow = (): number => Math.floor(Date.now() / 1000);

function validity(iat: number = secondsNow()) {
  return { iat, exp: iat + LIFETIME_SECONDS };
}

/** The query string hash: SHA-256 of `METHOD&path&query`, all in canonical form. */
export function qshOf({ method, url, baseUrl }: SignedRequest): string {
  const { pathname, searchParams } = new URL(url);
  const canonical = [
    method.toUpperCase(),
    canonicalPath(pathname, new URL(baseUrl).pathname),
    canonicalQuery(searchParams),
  ];
  return createHash('sha256').update(canonical.join('&')).digest('hex');
}

function canonicalPath(path: string, basePath: string): string {
  const base = basePath.replace(/\/$/, '');
  const own = path === base || path.startsWith(`${base}/`) ? path.slice(base.length) : path;
  return own.replace(/\/$/, '').replaceAll('&', '%26') || '/';
}

function canonicalQuery(parameters: URLSearchParams): string {
  const names = [...new Set(parameters.keys())].filter((name) => name !== 'jwt');
  return names
    .map((name) => ({ encoded: percentEncoded(name), values: parameters.getAll(name).toSorted() }))
    .sort((one, other) => (one.encoded < other.encoded ? -1 : 1))
    .map(({ encoded, values }) => `${encoded}=${values.map(percentEncoded).join(',')}`)
    .join('&');
}

/** RFC 3986: only unreserved characters stay as they are. */
const percentEncoded = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

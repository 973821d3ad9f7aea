/** What both lifecycle hooks share: the signed install, and the app beside which they may live. */
import { hash } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { App } from './compose.ts';
import { Fault, Unauthenticated } from './domain/refusal.ts';
import { bodyOf, parsedBody, type Reply, signedRequest } from './hook.ts';
import type { Claims } from './ports.ts';

/** Enough to tell the tokens of one second apart. */
const HASH_LENGTH = 32;
const FORWARD_TIMEOUT_MS = 4_000;

export const noContent: Reply = { statusCode: 204 };

/**
 * The body, parsed once the token is verified, when the token was issued, and a hash of it. `aud` is the default base URL, or this
 * realm's own, and no other realm's; `iss` is the body's client key.
 */
export async function verifiedInstall<T extends { readonly clientKey: string }>(
  app: App,
  event: APIGatewayProxyEventV2,
  path: string,
  parse: (body: unknown) => T,
): Promise<T & Pick<Claims, 'iat'> & { readonly tokens: readonly string[] }> {
  const { baseUrls, realm, residency } = app;
  const audiences = [baseUrls[realm], baseUrls[residency.defaultRealm]].filter(
    (url) => url !== undefined,
  );
  const request = signedRequest(event, 'POST', path);
  const { iss, iat } = await app.jwt.verifyInstall(request, audiences);
  const body = parse(parsedBody(event));
  if (iss !== body.clientKey)
    throw new Unauthenticated('the issuer is not the client key of the body');
  return { ...body, iat, tokens: [hash('sha256', request.token ?? '').slice(0, HASH_LENGTH)] };
}

/**
 * Passes the raw request on to the vendor's own handler (`INSTALLED_FORWARD_URL`), after our own write. Its failure is
 * ours, so that Atlassian repeats.
 */
export async function forward(
  app: App,
  event: APIGatewayProxyEventV2,
  path: string,
): Promise<void> {
  if (!app.forwardUrl) return;
  const response = await fetch(`${app.forwardUrl.replace(/\/$/, '')}${path}${query(event)}`, {
    method: 'POST',
    headers: {
      'content-type': event.headers['content-type'] ?? 'application/json',
      ...(event.headers['authorization'] ? { authorization: event.headers['authorization'] } : {}),
    },
    body: bodyOf(event),
    redirect: 'error',
    signal: AbortSignal.timeout(FORWARD_TIMEOUT_MS),
  }).catch(() => undefined);
  if (!response?.ok)
    throw new Fault(
      `the app behind INSTALLED_FORWARD_URL answers ${response?.status ?? 'nothing'}`,
    );
}

const query = ({ rawQueryString }: APIGatewayProxyEventV2) =>
  rawQueryString ? `?${rawQueryString}` : '';

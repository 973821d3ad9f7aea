/** Verifies the signed install for both lifecycle hooks. */
import { hash } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { otherAudiences } from './domain/operating/urls.ts';
import { Unauthenticated } from './domain/refusal.ts';
import type { HookApp } from './doors.ts';
import { parsedBody } from './event-body.ts';
import { type Reply, signedRequest } from './hook.ts';
import type { Claims } from './ports.ts';

/**
 * Long enough to tell the tokens of one second apart. The hash covers the signed part, which has
 * one spelling.
 */
const HASH_LENGTH = 32;

export const noContent: Reply = { statusCode: 204 };

/**
 * Returns the body, parsed after the token is verified, when the token was issued, and a hash of
 * it. `aud` is a URL of the default realm, or of this one, and of no other; `iss` is the body's
 * client key.
 */
export async function verifiedInstall<T extends { readonly clientKey: string }>(
  app: HookApp,
  event: APIGatewayProxyEventV2,
  path: string,
  parse: (body: unknown) => T,
): Promise<T & Pick<Claims, 'iat'> & { readonly tokens: readonly string[] }> {
  const { baseUrls, realm, residency } = app;
  const audiences = [realm, residency.defaultRealm].flatMap((of) => [
    ...(baseUrls[of] === undefined ? [] : [baseUrls[of]]),
    ...otherAudiences(residency, of),
  ]);
  const request = signedRequest(event, 'POST', path);
  const { iss, iat, signed } = await app.jwt.verifyInstall(request, audiences);
  const body = parse(parsedBody(event));
  if (iss !== body.clientKey)
    throw new Unauthenticated('the issuer is not the client key of the body');
  return { ...body, iat, tokens: [hash('sha256', signed).slice(0, HASH_LENGTH)] };
}

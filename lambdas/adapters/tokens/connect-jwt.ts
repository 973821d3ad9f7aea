/**
 * Verifies Connect's tokens: signed installs (RS256, by a key of Atlassian) and requests of a
 * tenant (HS256, by its secret).
 */
import {
  AsymmetricAlgorithm,
  decodeAsymmetric,
  decodeSymmetric,
  SymmetricAlgorithm,
} from 'atlassian-jwt';
import { Unauthenticated } from '../../domain/refusal.ts';
import { isClientKey } from '../../domain/requests.ts';
import type { Claims, Clock } from '../../ports.ts';
import { compactToken, type Json } from './compact-token.ts';
import type { InstallKeys } from './install-keys.ts';
import { queryStringHash } from './qsh.ts';

/**
 * The request that a token must have been made for. `path` is literal, as the route declares it.
 */
export interface SignedRequest {
  readonly token: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly rawQuery: string;
}

/** Clocks may differ by this many seconds. */
const LEEWAY = 60;
/** Browser tokens have this text in place of a hash of the request. */
const CONTEXT_QSH = 'context-qsh';

export function connectJwt({ keys, clock }: { readonly keys: InstallKeys; readonly clock: Clock }) {
  /**
   * Verifies the token of `POST /installed` and `/uninstalled`: RS256, key by `kid`, `aud` one of
   * ours. The caller compares `iss` with the body. Returns as `signed` the signed part, which has
   * only one accepted spelling. Throws `Unauthenticated`; `Fault` where the key server cannot be
   * asked.
   */
  async function verifyInstall(
    request: SignedRequest,
    audiences: readonly string[],
  ): Promise<Claims & { readonly signed: string }> {
    const { header, payload, signed } = compactToken(request.token);
    if (header['alg'] !== 'RS256') throw new Unauthenticated('a signed install uses RS256');
    const claims = checkClaims(payload, clock);
    checkHash(payload, request);
    const named: unknown[] = [payload['aud']].flat();
    const ours = audiences.map(spelt);
    if (!named.some((audience) => typeof audience === 'string' && ours.includes(spelt(audience)))) {
      throw new Unauthenticated('the audience is another base URL');
    }
    const key = await keys.find(header['kid'], claims.iss);
    verifying(() => decodeAsymmetric(request.token ?? '', key, AsymmetricAlgorithm.RS256));
    return { ...claims, signed };
  }

  /**
   * The claimed issuer. Shape, times and hash of the token are checked, but not its signature,
   * because that needs the issuer's secret.
   */
  function claimedBy(request: SignedRequest, kind: 'request' | 'context'): Claims {
    const { header, payload } = compactToken(request.token);
    if (header['alg'] !== 'HS256') throw new Unauthenticated('a tenant signs with HS256');
    const claims = checkClaims(payload, clock);
    if (kind === 'context' && payload['qsh'] === CONTEXT_QSH) return claims;
    checkHash(payload, request);
    return claims;
  }

  /** The algorithm never comes from the token. Without a secret no token verifies. */
  function verifySignature(token: string, sharedSecret: string | undefined): void {
    if (!sharedSecret) throw new Unauthenticated('the tenant has no shared secret');
    verifying(() => decodeSymmetric(token, sharedSecret, SymmetricAlgorithm.HS256));
  }

  return { verifyInstall, claimedBy, verifySignature };
}

function checkClaims(payload: Json, clock: Clock): Claims {
  const { iss, iat, exp, nbf } = payload;
  const now = clock.now() / 1000;
  if (!isClientKey(iss)) throw new Unauthenticated('the issuer is not a client key');
  if (!isTime(exp) || exp < now - LEEWAY) throw new Unauthenticated('the token has expired');
  if (!isTime(iat) || iat < 0 || iat > now + LEEWAY)
    throw new Unauthenticated('the token was issued at no time, or in the future');
  if (nbf !== undefined && (!isTime(nbf) || nbf > now + LEEWAY))
    throw new Unauthenticated('the token is not valid yet');
  // Whole seconds, as Atlassian writes them: the value is stored, and DynamoDB does not take every
  // number that JSON has.
  return { iss, iat: Math.floor(iat) };
}

const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value);

function checkHash(payload: Json, { method, path, rawQuery }: SignedRequest): void {
  if (payload['qsh'] !== queryStringHash(method, path, rawQuery)) {
    throw new Unauthenticated('the token was made for another request');
  }
}

/** The library's message quotes the token, so it is not passed on. */
function verifying(check: () => unknown): void {
  try {
    check();
  } catch {
    throw new Unauthenticated('the signature is not valid');
  }
}

/**
 * Two URLs are the same whether they have a trailing slash, capitals in the host or the default
 * port, or not.
 */
const spelt = (url: string) => (URL.parse(url)?.href ?? url).replace(/\/$/, '');

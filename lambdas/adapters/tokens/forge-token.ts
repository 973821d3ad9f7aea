/**
 * Verifies Forge invocation tokens (FIT): RS256, by a key of Forge, for one app and environment.
 * They carry no client key and no hash of the request; only their claims on the installation are
 * used. Claims:
 * https://developer.atlassian.com/platform/forge/remote/essentials/#the-forge-invocation-token--fit-
 */
import { type JWTPayload, jwtVerify } from 'jose';
import { Fault, Unauthenticated } from '../../domain/refusal.ts';
import { objectOf, siteIn } from '../../domain/tenants/forge-site.ts';
import { isInstallationId } from '../../domain/tenants/identity.ts';
import type { Clock, ForgeClaims } from '../../ports.ts';
import { compactToken, type Json } from './compact-token.ts';
import type { ForgeKeys } from './forge-keys.ts';
import type { KeysOfCloud } from './isolated-clouds.ts';

export interface ForgeTokenOptions {
  readonly keysOf: KeysOfCloud;
  readonly clock: Clock;
  /** `ari:cloud:ecosystem::app/…`: the audience. */
  readonly appId: string;
  /** `PRODUCTION`, `STAGING` or `DEVELOPMENT`: tokens of another environment are refused. */
  readonly environment: string;
}

const ISSUER = 'forge/invocation-token';
/** A token lives for 25 seconds; clocks may differ by this many seconds. */
const LEEWAY = 15;
/**
 * `nbf` and `jti` are in the documented example, but not in its table of claims. They are checked
 * where a token has them.
 */
const REQUIRED = ['iss', 'aud', 'exp', 'iat'];

export type ForgeToken = ReturnType<typeof forgeToken>;

export function forgeToken({ keysOf, clock, appId, environment }: ForgeTokenOptions) {
  /**
   * Throws `Unauthenticated`; `Fault` where the keys cannot be fetched. No error quotes the token.
   */
  return async function verify(token: string | undefined): Promise<ForgeClaims> {
    const { header, payload: claimed } = compactToken(token);
    if (!isPlain(header)) throw new Unauthenticated('the token is malformed');
    const payload = await verified(token ?? '', keysOf(claimed['icLabel']));
    const app = objectOf(payload['app']);
    if (app['id'] !== appId) throw new Unauthenticated('the token is for another app');
    if (objectOf(app['environment'])['type'] !== environment)
      throw new Unauthenticated('the token is of another environment');
    return claimsOf(payload, app);
  };

  async function verified(token: string, keys: ForgeKeys): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        issuer: ISSUER,
        audience: appId,
        requiredClaims: REQUIRED,
        clockTolerance: LEEWAY,
        currentDate: new Date(clock.now()),
      });
      const { iat } = payload;
      if (typeof iat !== 'number' || !(iat >= 0 && iat <= clock.now() / 1000 + LEEWAY))
        throw new Unauthenticated('the token was issued at no time, or in the future');
      // Whole seconds, as Atlassian writes them: the value is stored, and DynamoDB does not take
      // every number that JSON has.
      return { ...payload, iat: Math.floor(iat) };
    } catch (error) {
      if (error instanceof Fault || error instanceof Unauthenticated) throw error;
      // The library's message may quote the claim; its code names what is wrong.
      throw new Unauthenticated(`the Forge token is refused: ${codeOf(error)}`);
    }
  }
}

function claimsOf(payload: JWTPayload, app: Json): ForgeClaims {
  const { installationId } = app;
  if (!isInstallationId(installationId))
    throw new Unauthenticated('the installation is missing or malformed');
  if (payload.jti !== undefined && (typeof payload.jti !== 'string' || payload.jti === ''))
    throw new Unauthenticated('the id of the token is malformed');
  return { installationId, iat: payload.iat ?? 0, ...siteIn(payload) };
}

/**
 * Checks the algorithm, and that the key id is a plain text, before a key is looked up or fetched.
 */
const isPlain = ({ alg, kid }: Json): boolean =>
  alg === 'RS256' && typeof kid === 'string' && /^[\w.:=/+-]{1,256}$/.test(kid);

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'it is malformed';

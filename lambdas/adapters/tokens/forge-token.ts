/**
 * Forge invocation tokens (FIT): RS256, by a key of Forge's, made out to one app and environment. They carry no client
 * key and no hash of the request; what they say of the installation is all that may be believed.
 * Claims: https://developer.atlassian.com/platform/forge/remote/essentials/#the-forge-invocation-token--fit-
 */
import { type JWTPayload, jwtVerify } from 'jose';
import { Fault, Unauthenticated } from '../../domain/refusal.ts';
import { hostOf, isCloudId, isInstallationId, isProduct } from '../../domain/tenants/identity.ts';
import type { Clock, ForgeClaims } from '../../ports.ts';
import type { ForgeKeys } from './forge-keys.ts';

export interface ForgeTokenOptions {
  readonly keys: ForgeKeys;
  readonly clock: Clock;
  /** `ari:cloud:ecosystem::app/…`: the audience. */
  readonly appId: string;
  /** `PRODUCTION`, `STAGING` or `DEVELOPMENT`: tokens of another one are refused. */
  readonly environment: string;
}

const ISSUER = 'forge/invocation-token';
/** A token lives for 25 seconds; clocks may differ by this much. Seconds. */
const LEEWAY = 15;
/** With the context of a module it may be some kilobytes; API Gateway lets ten through, of all headers together. */
const LONGEST_TOKEN = 8_192;
const REQUIRED = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti'];

export type ForgeToken = ReturnType<typeof forgeToken>;

export function forgeToken({ keys, clock, appId, environment }: ForgeTokenOptions) {
  /** Throws `Unauthenticated`; `Fault` when the keys cannot be fetched. No error has the token in it. */
  return async function verify(token: string | undefined): Promise<ForgeClaims> {
    if (token === undefined) throw new Unauthenticated('there is no token');
    if (token.length > LONGEST_TOKEN) throw new Unauthenticated('the token is too long');
    if (!hasPlainHeader(token)) throw new Unauthenticated('the token is malformed');
    const payload = await verified(token);
    const app = objectOf(payload['app']);
    if (app['id'] !== appId) throw new Unauthenticated('the token is for another app');
    if (objectOf(app['environment'])['type'] !== environment)
      throw new Unauthenticated('the token is of another environment');
    return claimsOf(payload, app);
  };

  async function verified(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        issuer: ISSUER,
        audience: appId,
        requiredClaims: REQUIRED,
        clockTolerance: LEEWAY,
        currentDate: new Date(clock.now()),
      });
      if (typeof payload.iat !== 'number' || payload.iat > clock.now() / 1000 + LEEWAY)
        throw new Unauthenticated('the token was issued in the future');
      return payload;
    } catch (error) {
      if (error instanceof Fault || error instanceof Unauthenticated) throw error;
      // The library's message names the claim, and may hold what it says: its code is enough.
      throw new Unauthenticated(`the Forge token is refused: ${codeOf(error)}`);
    }
  }
}

function claimsOf(payload: JWTPayload, app: Claims): ForgeClaims {
  const { installationId } = app;
  if (!isInstallationId(installationId))
    throw new Unauthenticated('the installation is missing or malformed');
  if (typeof payload.jti !== 'string' || payload.jti === '')
    throw new Unauthenticated('the token has no id');
  const context = objectOf(payload['context']);
  const contexts = listOf(objectOf(app['installation'])['contexts']).map(objectOf);
  const cloudId =
    onlyOne(contexts.map((each) => each['cloudId']).filter(isCloudId)) ?? context['cloudId'];
  const product = onlyOne(contexts.map(productOf).filter(isProduct));
  const host = hostOf(context['siteUrl']);
  return {
    installationId,
    iat: payload.iat ?? 0,
    ...(isCloudId(cloudId) ? { cloudId: cloudId.toLowerCase() } : {}),
    ...(product === undefined ? {} : { product }),
    ...(host === undefined ? {} : { host }),
  };
}

/** `confluence`, by name or by the address of its API (`https://api.atlassian.com/ex/confluence/…`). */
function productOf({ name, apiBaseUrl }: Claims): string | undefined {
  const fromUrl =
    typeof apiBaseUrl === 'string' ? /\/ex\/([a-z-]+)\//.exec(apiBaseUrl)?.[1] : undefined;
  const said = fromUrl ?? (typeof name === 'string' ? name.toLowerCase() : undefined);
  return isProduct(said) ? said : undefined;
}

/** An installation in several products, or sites, tells nothing that could be matched by. */
function onlyOne(values: readonly string[]): string | undefined {
  const different = new Set(values);
  return different.size === 1 ? values[0] : undefined;
}

type Claims = Readonly<Record<string, unknown>>;

const objectOf = (value: unknown): Claims =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The algorithm and a key id that is a plain text: nothing else is looked up, or leads to a fetch. */
function hasPlainHeader(token: string): boolean {
  try {
    const header: unknown = JSON.parse(
      Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8'),
    );
    const { alg, kid } = objectOf(header);
    return alg === 'RS256' && typeof kid === 'string' && /^[\w.:=/+-]{1,256}$/.test(kid);
  } catch {
    return false;
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'it is malformed';

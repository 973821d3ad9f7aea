/**
 * Lifecycle events that came while a tenant was in a move, and that the stacks deliver afterwards:
 * the token of Atlassian that comes with them has expired, and a token of the stacks says instead
 * that they are genuine.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { namedTenants } from '../../../lambdas/app/named-tenants.ts';
import { isClientKey } from '../../../lambdas/domain/requests.ts';
import { isInstallationId } from '../../../lambdas/domain/tenants/identity.ts';
import type { TenantRecord } from '../../../lambdas/domain/tenants/tenant.ts';
import { CLIENT_INFO_ATTRIBUTES } from '../../../lambdas/domain/tenants/verdict.ts';
import { FAULT_ANSWER } from './answers.ts';
import { isResidencyFault, type ResidencyFault } from './fault.ts';
import { readTenants, tenantsTable } from './tenants.ts';
import type { TableOptions } from './types.ts';

export { isResidencyFault, ResidencyFault } from './fault.ts';

export const DELIVERY_HEADER = 'x-residency-delivery';

export interface DeliveryOptions extends TableOptions {
  /** The app's key, as in its descriptor. */
  readonly appKey: string;
}

export interface DeliveredRequest {
  /** The header `x-residency-delivery`. */
  readonly token: string | undefined;
  /** As it was sent: the bytes, or their text, and not what was parsed of them. */
  readonly body: string | Uint8Array;
  /** Below the app's base URL: `/installed`. */
  readonly path: string;
}

/** The event is genuine: take it as if its installation token had been verified. */
export interface Delivery {
  readonly kind: 'delivery';
  /** The client key of the body, or the installation of Forge. */
  readonly named: string;
  /** The tenant's id in the tables of these stacks. */
  readonly tenant: string;
}
/** Answer 401. `says` is for the log: the reason, and no secret. */
export interface NoDelivery {
  readonly kind: 'refused';
  readonly says: string;
}
/** Answer 503: the tenant is in a move again. The event is delivered later. */
export interface LaterDelivery {
  readonly kind: 'later';
}
export type DeliveryVerdict = Delivery | NoDelivery | LaterDelivery;
export type VerifyDelivery = (request: DeliveredRequest) => Promise<DeliveryVerdict>;

/** Clocks may differ by this many seconds. */
const LEEWAY = 60;
/** A token is good for this long; one that claims more is none of ours. */
const LONGEST = 180;

/**
 * Verifies deliveries by the secret that the tenant's record has: the role needs the right to read
 * it, as for `residencyStore`. Rejects with `ResidencyFault` where the table cannot be read.
 */
export function residencyDelivery(options: DeliveryOptions): VerifyDelivery {
  const { appKey, realm } = options;
  if (typeof appKey !== 'string' || appKey === '')
    throw new Error('appKey is the key of the app, as in its descriptor');
  const tenants = readTenants(tenantsTable(options), CLIENT_INFO_ATTRIBUTES);
  const { byClientKey, byInstallation } = namedTenants(tenants, realm);

  async function recordOf(named: unknown): Promise<TenantRecord | undefined> {
    if (isInstallationId(named)) return byInstallation(named, {});
    return isClientKey(named) ? byClientKey(named) : undefined;
  }

  return async ({ token = '', body, path }) => {
    const [header = '', payload = '', signature = '', ...rest] = token.split('.');
    const claims = objectIn(payload);
    if (rest.length > 0 || objectIn(header)['alg'] !== 'HS256')
      return refused('it is no token signed with HS256');
    const wrong = wrongIn(claims, { appKey, path, body }, Date.now() / 1000);
    if (wrong !== undefined) return refused(wrong);
    const record = await recordOf(claims['aud']);
    const secret = record?.credentials.sharedSecret;
    if (record === undefined || !secret) return refused('the tenant is unknown here');
    const wanted = createHmac('sha256', secret).update(`${header}.${payload}`).digest();
    const given = Buffer.from(signature, 'base64url');
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
      return refused('the signature is not valid');
    if (record.state !== 'active' && record.state !== 'retired') return { kind: 'later' };
    return { kind: 'delivery', named: String(claims['aud']), tenant: record.tenant };
  };
}

const refused = (says: string): NoDelivery => ({ kind: 'refused', says });

type Json = Readonly<Record<string, unknown>>;

function wrongIn(
  { iss, iat, exp, sub, bodySha256 }: Json,
  { appKey, path, body }: { appKey: string } & Pick<DeliveredRequest, 'path' | 'body'>,
  now: number,
): string | undefined {
  if (iss !== appKey) return 'it was made for another app';
  if (sub !== path) return 'it was made for another path';
  if (typeof iat !== 'number' || typeof exp !== 'number' || exp - iat > LONGEST)
    return 'it has no times, or lasts too long';
  if (exp < now - LEEWAY) return 'it has expired';
  if (iat > now + LEEWAY) return 'it was issued in the future';
  const hash = createHash('sha256').update(body).digest('hex');
  return bodySha256 === hash ? undefined : 'it was made for another body';
}

function objectIn(part: string): Json {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** What is used of a request of Express. */
export interface ReceivedRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly originalUrl?: string;
  readonly url?: string | undefined;
  readonly body?: unknown;
  readonly rawBody?: unknown;
}
export interface DeliveryResponse {
  statusCode: number;
  locals?: Record<string, unknown>;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

export interface DeliveryMiddlewareOptions {
  /** The path of the app's base URL, where it has one: it is not in the token. */
  readonly basePath?: string;
  /** Called with the reason of each refusal: it names no secret. */
  readonly onRefused?: (says: string) => void;
  /** Called when the table cannot be read; the request is answered 503. */
  readonly onFault?: (error: ResidencyFault) => void;
}

/**
 * Lets through what is no delivery, and what is one, then with `response.locals.residencyDelivery`;
 * answers all else itself, 401 or 503. It needs the body as it was sent: behind `express.raw()`, or
 * behind a parser that leaves it in `request.rawBody`.
 */
export function deliveryMiddleware(
  verify: VerifyDelivery,
  { basePath = '', onRefused, onFault }: DeliveryMiddlewareOptions = {},
): (request: ReceivedRequest, response: DeliveryResponse, next: (error?: unknown) => void) => void {
  return (request, response, next) => {
    const header = request.headers[DELIVERY_HEADER];
    if (header === undefined) return next();
    const body = [request.rawBody, request.body].find(isRaw);
    if (body === undefined)
      return next(new Error('deliveryMiddleware needs the raw body: put express.raw() before it'));
    const [path = ''] = (request.originalUrl ?? request.url ?? '').split('?');
    verify({ token: String(header), body, path: below(basePath, path) }).then(
      (verdict) => {
        if (verdict.kind === 'delivery') {
          response.locals = Object.assign(response.locals ?? {}, { residencyDelivery: verdict });
          return next();
        }
        if (verdict.kind === 'later') return send(response, FAULT_ANSWER);
        onRefused?.(verdict.says);
        send(response, { status: 401, headers: {}, body: { message: 'Unauthorized' } });
      },
      (error: unknown) => {
        if (!isResidencyFault(error)) return next(error);
        onFault?.(error);
        send(response, FAULT_ANSWER);
      },
    );
  };
}

const isRaw = (value: unknown): value is string | Uint8Array =>
  typeof value === 'string' || value instanceof Uint8Array;

const below = (base: string, path: string): string =>
  base !== '' && path.startsWith(`${base}/`) ? path.slice(base.length) : path;

function send(
  response: DeliveryResponse,
  { status, headers, body }: Pick<typeof FAULT_ANSWER, 'status' | 'headers' | 'body'>,
): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}

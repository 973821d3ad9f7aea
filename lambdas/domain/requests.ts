/**
 * Parses Atlassian's requests at the edge: `unknown` in, a readonly type out, a refusal otherwise.
 */

import { defined } from './defined.ts';
import type { Facts } from './moving/migration.ts';
import { invalid, Refusal } from './refusal.ts';
import { bytesOf, hasStorableHost, storableText } from './storable.ts';
import { isCloudId, isForgeTenantId, isInstallationId, isProduct } from './tenants/identity.ts';
import type { Identity } from './tenants/tenant.ts';

/**
 * The caller of a hook: the tenant whose token was verified, and when the token was issued (epoch
 * seconds).
 */
export interface Caller {
  readonly tenant: string;
  readonly iat: number;
}

/**
 * `id` is absent where the request names none. A schedule then gets an id of ours
 * (`app/schedule-ids.ts`); any other hook means the tenant's last migration out of the realm that
 * it reaches, and never one that was scheduled after its token was issued (decision 15).
 */
export interface ScheduleRequest extends Facts {
  readonly id?: string;
}

/** `start` repeats all facts of the schedule. */
export interface StartRequest {
  readonly id?: string;
  readonly facts: Facts;
}

/** `commit` and `rollback` may repeat the facts of the schedule. */
export interface ActionRequest {
  readonly id?: string;
  readonly facts?: Partial<Facts>;
}

export interface InstallRequest {
  readonly clientKey: string;
  readonly sharedSecret: string;
  /** The whole body without the secret. Unknown fields are kept. */
  readonly installation: Readonly<Record<string, unknown>>;
}

/** Parses a request body. An absent body is an empty object. */
export function jsonBody(text: string): unknown {
  if (text.trim() === '') return {};
  if (depthOf(text) > DEEPEST_BODY) throw invalid('the body is nested too deeply');
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('the body is not JSON');
  }
}

/** A deeper body is refused, because recursive code would overflow its stack. */
const DEEPEST_BODY = 200;

/** The depth of the brackets. Brackets within texts count too; 200 levels leave room for them. */
function depthOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const character of text) {
    if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

export function scheduleRequest(body: unknown): ScheduleRequest {
  const { id, facts } = actionRequest(body);
  const { location, startTime, endTime } = facts ?? {};
  if (location === undefined) throw invalid('location is missing');
  if (startTime === undefined) throw invalid('startTime is missing');
  if (endTime === undefined) throw invalid('endTime is missing');
  return { ...defined({ id }), location, startTime, endTime };
}

export function startRequest(body: unknown): StartRequest {
  const { id, ...facts } = scheduleRequest(body);
  return { ...defined({ id }), facts };
}

export function actionRequest(body: unknown): ActionRequest {
  const fields = objectOf(body);
  const id = migrationIdOf(fields['migrationId']);
  const location = textOf(fields, 'location', 64);
  const startTime = timeOf(fields, 'startTime');
  const endTime = timeOf(fields, 'endTime');
  const facts = {
    ...defined({ location, startTime, endTime }),
  };
  return {
    ...defined({ id }),
    ...(Object.keys(facts).length === 0 ? {} : { facts }),
  };
}

/**
 * `migrationId` from the raw query. Repeated with one value it counts once, with two values it is
 * refused.
 */
export function statusRequest(rawQuery: string): ActionRequest {
  const ids = new Set(new URLSearchParams(rawQuery).getAll('migrationId'));
  if (ids.size > 1) throw invalid('migrationId is given more than once');
  const [text] = ids;
  const id = migrationIdOf(text === '' ? undefined : text);
  return id === undefined ? {} : { id };
}

export function installRequest(body: unknown): InstallRequest {
  const { sharedSecret, ...installation } = objectOf(body);
  const clientKey = clientKeyOf(installation['clientKey']);
  if (typeof sharedSecret !== 'string' || sharedSecret === '')
    throw invalid('sharedSecret is missing');
  if (bytesOf(sharedSecret) > 400) throw invalid('sharedSecret is longer than 400 bytes');
  if (!sharedSecret.isWellFormed()) throw invalid('sharedSecret is not well-formed Unicode');
  const { baseUrl } = installation;
  if (typeof baseUrl === 'string' && URL.canParse(baseUrl) && !hasStorableHost(baseUrl))
    throw invalid('baseUrl has a longer host name than there can be');
  storableText(installation);
  return { clientKey, sharedSecret, installation };
}

/**
 * What a Forge-aware Connect installation names besides. A malformed value counts as absent. `iat`
 * in epoch seconds.
 */
export function identityIn(installation: Readonly<Record<string, unknown>>, iat: number): Identity {
  const { installationId, cloudId, productType } = installation;
  return {
    ...(isInstallationId(installationId) ? { installations: [{ id: installationId, iat }] } : {}),
    ...(isCloudId(cloudId) ? { cloudId: cloudId.toLowerCase() } : {}),
    ...(isProduct(productType) ? { product: productType } : {}),
  };
}

/**
 * The route names the event, because the documented payloads do not. What the body says besides
 * must not contradict the token, because only the token is signed.
 * https://developer.atlassian.com/platform/forge/events-reference/life-cycle/
 */
export function checkForgeEvent(
  body: unknown,
  event: 'installed' | 'upgraded' | 'uninstalled',
  installationId: string,
): void {
  const { id, eventType } = objectOf(body);
  if (typeof id === 'string' && id !== '' && !installationId.endsWith(`/${id.split('/').at(-1)}`))
    throw invalid('the event is of another installation');
  const named = typeof eventType === 'string' && eventType.startsWith('avi:forge:');
  if (named && eventType !== `avi:forge:${event}:app`)
    throw invalid('the event is another one than this route is for');
}

/** `uninstalled` carries the same body; it may lack the secret. */
export function uninstallRequest(body: unknown): { readonly clientKey: string } {
  return { clientKey: clientKeyOf(objectOf(body)['clientKey']) };
}

/** Any text without `#` at its start, which records of the realm itself use. */
export const isClientKey = (value: unknown): value is string =>
  typeof value === 'string' && /^[!-"$-~][!-~]{0,254}$/.test(value);

/**
 * A tenant's id of ours: a client key, or what `tenantOfInstallation` makes of a Forge
 * installation.
 */
export const isTenantId = (value: unknown): value is string =>
  isClientKey(value) || isForgeTenantId(value);

function clientKeyOf(value: unknown): string {
  if (!isClientKey(value)) throw invalid('clientKey is missing or malformed');
  return value;
}

function objectOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid('the body is not a JSON object');
  }
  return Object.fromEntries(Object.entries(body));
}

/** A number in bodies, a text in the query; always a text from here on. */
function migrationIdOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (!isMigrationId(text)) throw invalid('migrationId is malformed');
  return text;
}

export const isMigrationId = (value: unknown): value is string =>
  typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(value);

function textOf(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  longest: number,
): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value === '' || value.length > longest)
    throw invalid(`${name} is malformed`);
  return value;
}

function timeOf(fields: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const text = textOf(fields, name, 64);
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw invalid(`${name} is not an ISO 8601 time`);
  const utc = new Date(time).toISOString();
  // Times are compared as texts, and only years of four digits sort so.
  if (!/^\d{4}-/.test(utc)) throw invalid(`${name} is not an ISO 8601 time`);
  return utc;
}

/**
 * Refuses a window that is reversed, or over. Atlassian chooses how long it is; the 24 hours only
 * limit what an app declares. `now` in epoch milliseconds.
 */
export function checkWindow({ startTime, endTime }: Facts, now: number): void {
  const [start, end] = [Date.parse(startTime), Date.parse(endTime)];
  if (end <= start) throw invalid('the window ends before it begins');
  if (end <= now) throw invalid('the window is over');
}

export const tooLarge = (limit: number) =>
  new Refusal(413, 'E9999', `the body is larger than ${limit} bytes`);

/**
 * Beside an existing app: passes a verified lifecycle event on to the app of the same realm, or
 * keeps it while the tenant is in a move.
 */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { App } from './compose.ts';
import type { Realm } from './domain/realm.ts';
import { Fault } from './domain/refusal.ts';
import { type ForwardedPath, forwardingOf, forwardVerdict } from './domain/tenants/forwarding.ts';
import {
  isBeingDelivered,
  type KeptEvent,
  LARGEST_KEPT,
  superseded,
  withEvent,
} from './domain/tenants/kept-events.ts';
import { isInMove, type TenantRecord } from './domain/tenants/tenant.ts';
import { bodyOf } from './event-body.ts';

const FORWARD_TIMEOUT_MS = 4_000;

/** `named` is Atlassian's name of the tenant, `iat` when the token was issued. */
export interface Forwarded
  extends Pick<KeptEvent, 'event' | 'path' | 'named' | 'iat' | 'sharedSecret'> {
  /** Reads the tenant's record in this realm, strongly consistently, after our own write. */
  readonly look: () => Promise<TenantRecord | undefined>;
}

/**
 * Sends the raw request, token included, after our own write. Where the app fails, we answer 503,
 * so that Atlassian repeats the event. A repeated event finds our write done and is forwarded
 * again; so does one after a crash between the two. In a move it is kept (decision 85).
 */
export async function forward(
  app: App,
  request: APIGatewayProxyEventV2,
  { look, ...forwarded }: Forwarded,
): Promise<void> {
  if (!app.forwardUrl) return;
  const wanted = forwardingOf(forwarded.path, app.residency.app.forwardedPaths);
  if (wanted === 'never') return;
  const { event, named } = forwarded;
  const { authorization, 'content-type': contentType = 'application/json' } = request.headers;
  const sent: KeptEvent = {
    ...forwarded,
    query: request.rawQueryString ? `?${request.rawQueryString}` : '',
    contentType,
    ...(authorization && { authorization }),
    body: bodyOf(request),
  };
  const record = await look();
  const verdict = forwardVerdict(event, record, forwarded.sharedSecret);
  const { log } = app.ports;
  const fields = { clientKey: named, state: record?.state };
  if (verdict === 'yes') {
    await supersede(app, record?.tenant ?? named, sent);
    return send(app, sent);
  }
  if (verdict === 'superseded') {
    log.info(`${event} is not forwarded: something newer stands`, fields);
    return;
  }
  if (record !== undefined && isNewer(record, sent)) {
    log.info(`${event} is not kept: something newer stands`, fields);
    return;
  }
  if (record !== undefined && (await keep(app, record, sent))) {
    log.info(`${event} is kept: the app gets it after the move`, fields);
    return;
  }
  log.error(
    `alarm: ${event} is not forwarded to the app in realm ${app.realm}, where the tenant is ${record?.state ?? 'unknown'}: the app learns of it by the next event after the move`,
    fields,
  );
}

/** The record has another secret than the one that this event brought: a newer one. */
const isNewer = ({ credentials }: TenantRecord, { sharedSecret }: KeptEvent): boolean =>
  sharedSecret !== undefined && credentials.sharedSecret !== sharedSecret;

/**
 * Keeps the event in both realms of the move, because either may be the one that serves in the end.
 * We answer only then, so that Atlassian repeats what a crash in between left undone. `false` where
 * it could never be delivered: the tenant is in no move, or has no secret to sign the delivery.
 */
async function keep(app: App, record: TenantRecord, event: KeptEvent): Promise<boolean> {
  const { kept, ports } = app;
  if (!isInMove(record) || record.credentials.sharedSecret === undefined) return false;
  if (Buffer.byteLength(event.body) > LARGEST_KEPT) return false;
  for (const realm of await realmsOfMove(app, record))
    await kept.change(realm, record.tenant, (current) =>
      withEvent(current, record.tenant, event, ports.clock.now()),
    );
  return true;
}

/** This realm first. */
async function realmsOfMove(
  { ports, realm: here }: App,
  { tenant, migration: id, ledger }: TenantRecord,
): Promise<readonly Realm[]> {
  if (id === undefined || ledger === undefined) return [here];
  const migration = await ports.migrations.read({ ledger, tenant, id });
  if (migration === undefined) return [here];
  const { source, target } = migration;
  return [here, ...[source, target].filter((realm) => realm !== here)];
}

/** What was kept before this event must not reach the app after it. */
async function supersede({ kept, realm, ports }: App, tenant: string, event: KeptEvent) {
  const { record } = await kept.change(realm, tenant, (current) => superseded(current, event));
  if (isBeingDelivered(record, ports.clock.now()))
    throw new Fault('an older event is being delivered to the app at this moment');
}

/** `delivery` is the token of an event that was kept. */
export async function send(
  { forwardUrl, residency, ports }: App,
  { path, named, query, contentType, authorization, body }: KeptEvent,
  delivery?: string,
): Promise<void> {
  const response = await fetch(`${forwardUrl}${path}${query}`, {
    method: 'POST',
    headers: {
      'content-type': contentType,
      ...(authorization && { authorization }),
      ...(delivery && { [DELIVERY_HEADER]: delivery }),
    },
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(FORWARD_TIMEOUT_MS),
  }).catch(() => undefined);
  if (response?.ok) return;
  const isWithoutHandler = response?.status === 404 || response?.status === 405;
  if (isHandlerOptional(path, residency) && isWithoutHandler) {
    const fields = { clientKey: named, status: response?.status };
    ports.log.info(`the app has no handler for ${path}`, fields);
    return;
  }
  throw new Fault(
    `the app that installations are forwarded to answers ${response?.status ?? 'nothing'} to ${path}`,
  );
}

export const DELIVERY_HEADER = 'x-residency-delivery';

const isHandlerOptional = (path: ForwardedPath, { app }: App['residency']): boolean =>
  forwardingOf(path, app.forwardedPaths) === 'if-handled';

/** Beside an existing app: passes a verified lifecycle event on to the app of the same realm. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { App } from './compose.ts';
import { Fault } from './domain/refusal.ts';
import {
  type ForwardedPath,
  forwardingOf,
  forwardVerdict,
  type LifecycleEvent,
} from './domain/tenants/forwarding.ts';
import type { TenantRecord } from './domain/tenants/tenant.ts';
import { bodyOf } from './hook.ts';

const FORWARD_TIMEOUT_MS = 4_000;

export interface Forwarded {
  readonly event: LifecycleEvent;
  /** Below the app's own base URL. */
  readonly path: ForwardedPath;
  /** Atlassian's name of the tenant, for the log. */
  readonly clientKey: string;
  /** Reads the tenant's record in this realm, strongly consistently, after our own write. */
  readonly look: () => Promise<TenantRecord | undefined>;
  readonly sharedSecret?: string;
}

/**
 * Sends the raw request, token included, after our own write. Where the app fails, we answer 503,
 * so that Atlassian repeats the event. A repeated event finds our write done and is forwarded
 * again; so does one after a crash between the two.
 */
export async function forward(
  app: App,
  request: APIGatewayProxyEventV2,
  forwarded: Forwarded,
): Promise<void> {
  if (!app.forwardUrl) return;
  const { event, clientKey, path } = forwarded;
  const wanted = forwardingOf(path, app.residency.app.forwardedPaths);
  if (wanted === 'never') return;
  const record = await forwarded.look();
  const verdict = forwardVerdict(event, record, forwarded.sharedSecret);
  if (verdict === 'yes') return send(app, request, forwarded, wanted);
  const { log } = app.ports;
  const fields = { clientKey, state: record?.state };
  if (verdict === 'superseded') {
    log.info(`${event} is not forwarded: something newer stands`, fields);
    return;
  }
  log.error(
    `alarm: ${event} is not forwarded to the app in realm ${app.realm}, where the tenant is ${record?.state ?? 'unknown'}: the app learns of it by the next event after the move`,
    fields,
  );
}

async function send(
  { forwardUrl, ports }: App,
  request: APIGatewayProxyEventV2,
  { path, clientKey }: Forwarded,
  wanted: 'always' | 'if-handled',
): Promise<void> {
  const { authorization, 'content-type': contentType = 'application/json' } = request.headers;
  const response = await fetch(`${forwardUrl}${path}${query(request)}`, {
    method: 'POST',
    headers: { 'content-type': contentType, ...(authorization ? { authorization } : {}) },
    body: bodyOf(request),
    redirect: 'error',
    signal: AbortSignal.timeout(FORWARD_TIMEOUT_MS),
  }).catch(() => undefined);
  if (response?.ok) return;
  const isWithoutHandler = response?.status === 404 || response?.status === 405;
  if (wanted === 'if-handled' && isWithoutHandler) {
    ports.log.info(`the app has no handler for ${path}`, { clientKey, status: response.status });
    return;
  }
  throw new Fault(
    `the app that installations are forwarded to answers ${response?.status ?? 'nothing'} to ${path}`,
  );
}

const query = ({ rawQueryString }: APIGatewayProxyEventV2) =>
  rawQueryString ? `?${rawQueryString}` : '';

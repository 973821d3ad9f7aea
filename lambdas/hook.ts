/**
 * The middy stack of every HTTP function: log, authenticate, parse, run, reply. Refusals and faults
 * become replies here.
 */
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { SignedRequest } from './adapters/tokens/connect-jwt.ts';
import type { App } from './compose.ts';
import { type Answer, UNAUTHORIZED, UNAVAILABLE } from './domain/answers.ts';
import { hookOf } from './domain/operating/metric.ts';
import { Fault, PermanentError, Refusal, Unauthenticated } from './domain/refusal.ts';
import { type Caller, tooLarge } from './domain/requests.ts';
import { composeWithDoors, type HookApp } from './doors.ts';
import { bodyOf } from './event-body.ts';

/** Id and remaining time of an invocation; Lambda's context is one. */
export interface InvocationContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

export type Reply = APIGatewayProxyStructuredResultV2;

/**
 * A function of one realm: given its app, it answers events. So one process can host five realms.
 */
export type Endpoint = (
  app: HookApp,
) => (event: APIGatewayProxyEventV2, context: InvocationContext) => Promise<Reply>;

/** Larger bodies, in bytes, are refused before they are read. */
const LARGEST_BODY = 256 * 1024;

/** Makes an endpoint of `run`, which may throw the errors of `domain/refusal.ts`. */
export function endpointOf(
  run: (app: HookApp, event: APIGatewayProxyEventV2) => Promise<Reply>,
): Endpoint {
  return (app) => {
    const handle = middy((event: APIGatewayProxyEventV2) => run(app, event))
      .before(({ event }) => {
        if (Buffer.byteLength(bodyOf(event)) > LARGEST_BODY) throw tooLarge(LARGEST_BODY);
      })
      .onError((request) => {
        request.response = replyTo(app, request.event, request.error);
      });
    return async (event, context) => {
      const { clock, metrics } = app.ports;
      const begun = clock.now();
      // middy and the handlers use only the event and the id of a context.
      const reply = await handle(event, context as Parameters<typeof handle>[1]);
      const hook = hookOf(event.routeKey);
      if (hook !== 'other') metrics.record('HookLatency', clock.now() - begun, hook);
      return reply;
    };
  };
}

/** Each route accepts the tokens of one scheme, by its path. */
const CONNECT_HOOKS = '/dare-migration/';
const FORGE_HOOKS = '/forge/migration/';

/**
 * A migration hook: verifies the tenant's token, parses the request, answers. `name` is the last
 * word of both routes.
 */
export function migrationHook<T extends { readonly id?: string }>(
  method: 'GET' | 'POST',
  name: string,
  parse: (event: APIGatewayProxyEventV2) => T,
  run: (app: HookApp, caller: Caller, request: T) => Promise<object>,
): Endpoint {
  return endpointOf(async (app, event) => {
    const caller =
      event.routeKey === `${method} ${FORGE_HOOKS}${name}`
        ? await invoked(app, event, method === 'GET' ? 'look' : 'learn')
        : await authenticated(
            app,
            signedRequest(event, method, `${CONNECT_HOOKS}${name}`),
            'request',
          );
    const request = parse(event);
    const answer = await run(app, caller, request);
    app.ports.log.info(`200: ${event.routeKey}`, {
      ...answer,
      requestId: event.requestContext?.requestId,
      migrationId: request.id,
      clientKey: caller.tenant,
    });
    return json(200, answer);
  });
}

/**
 * Checks shape, times and hash of the token before it reads anything, then the signature with the
 * tenant's secret. The secret of a retired tenant or a stub still verifies.
 */
export async function authenticated(
  app: HookApp,
  request: SignedRequest,
  kind: 'request' | 'context',
): Promise<Caller> {
  const claims = app.jwt.claimedBy(request, kind);
  const record = await app.identification.byClientKey(claims.iss);
  if (record === undefined) throw new Unauthenticated('the tenant is unknown');
  app.jwt.verifySignature(request.token ?? '', record.credentials.sharedSecret);
  return { tenant: record.tenant, iat: claims.iat };
}

/**
 * The tenant of a Forge invocation. An invocation that may write stores an installation that was
 * never announced.
 */
export async function invoked(
  app: HookApp,
  event: APIGatewayProxyEventV2,
  access: 'look' | 'learn',
): Promise<Caller> {
  return app.identification.forgeCaller(await app.forge(bearerOf(event)), access);
}

/** Reads `Authorization: Bearer …` only. */
export const bearerOf = (event: APIGatewayProxyEventV2): string | undefined =>
  /^Bearer\s+(\S+)\s*$/i.exec(event.headers['authorization'] ?? '')?.[1];

export const signedRequest = (
  event: APIGatewayProxyEventV2,
  method: string,
  path: string,
): SignedRequest => ({
  token: tokenOf(event),
  method,
  path,
  rawQuery: event.rawQueryString,
});

/** Reads `Authorization: JWT …`, or `?jwt=…`. */
function tokenOf(event: APIGatewayProxyEventV2): string | undefined {
  const header = /^JWT\s+(\S+)\s*$/i.exec(event.headers['authorization'] ?? '');
  return header?.[1] ?? new URLSearchParams(event.rawQueryString).get('jwt') ?? undefined;
}

export const json = (
  statusCode: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Reply => ({
  statusCode,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

export const replyOf = ({ status, body, headers }: Answer): Reply => json(status, body, headers);

/**
 * Logs one line per error, with ids and without secrets; the caller gets a status and a sentence.
 */
function replyTo(app: App, event: APIGatewayProxyEventV2, error: unknown): Reply {
  const fields = {
    route: event.routeKey,
    requestId: event.requestContext?.requestId,
    clientKey: claimedTenant(event),
  };
  const { log, metrics } = app.ports;
  if (error instanceof Unauthenticated) {
    metrics.record('Refusals', 1, 'unauthenticated');
    log.warn(`401: ${error.message}`, fields);
    return replyOf(UNAUTHORIZED);
  }
  if (error instanceof Refusal) {
    metrics.record('Refusals', 1, error.code ?? 'none');
    log.warn(`${error.status}: ${error.message}`, { ...fields, errorResponseCode: error.code });
    const code = error.code === undefined ? {} : { errorResponseCode: error.code };
    return json(error.status, { ...code, message: error.message });
  }
  // For a task a `PermanentError` ends its retries. For a hook it is a fault: an operator may mend
  // it before Atlassian's next try.
  const isOurs = error instanceof Fault || error instanceof PermanentError;
  const reason = isOurs
    ? error.message
    : `unexpected ${error instanceof Error ? error.name : 'error'}`;
  metrics.record('Faults', 1, hookOf(event.routeKey));
  log.error(`503: ${reason}`, {
    ...fields,
    ...(isOurs ? {} : { at: whereOf(error) }),
  });
  return replyOf(UNAVAILABLE);
}

/** For the log only, and only where it has the form of a client key. */
function claimedTenant(event: APIGatewayProxyEventV2): string | undefined {
  try {
    const payload: unknown = JSON.parse(
      Buffer.from(tokenOf(event)?.split('.')[1] ?? '', 'base64url').toString('utf8'),
    );
    const { iss }: { iss?: unknown } = { ...(typeof payload === 'object' ? payload : {}) };
    return typeof iss === 'string' && /^[\w.#:-]{1,128}$/.test(iss) ? iss : undefined;
  } catch {
    return undefined;
  }
}

/** The frames of an unexpected error's stack, without its message, which may hold anything. */
const whereOf = (error: unknown): readonly string[] =>
  error instanceof Error
    ? (error.stack ?? '')
        .split('\n')
        .filter((line) => /^\s+at /.test(line))
        .slice(0, 6)
        .map((line) => line.trim())
    : [];

/** The Lambda's entry. It composes the app from the environment once, at the first event. */
export function onLambda(endpoint: Endpoint): ReturnType<Endpoint> {
  let bound: ReturnType<Endpoint> | undefined;
  return (event, context) => {
    bound ??= endpoint(composeWithDoors(process.env));
    return bound(event, context);
  };
}

/** One realm's HTTP API over node:http, as strict as API Gateway in front of the same functions. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Realm } from '../../lambdas/domain/realm.ts';
import type { InvocationContext } from '../../lambdas/hook.ts';
import type { Log } from '../../lambdas/ports.ts';
import { sizeOf } from '../entries.ts';
import type { Route } from '../routes.ts';
import type { Limited } from './functions/concurrency.ts';
import { invoke, TimedOut } from './functions/invocation.ts';
import { eventOf, routeOf, splitTarget } from './gateway-event.ts';
import { isOwnName, listenOn, stop } from './http.ts';
import type { Throttle } from './throttle.ts';

/** A route's function, bound to its realm. */
export type Endpoint = (
  event: APIGatewayProxyEventV2,
  context: InvocationContext,
) => Promise<unknown>;

export interface GatewayOptions {
  readonly realm: Realm;
  /** 0 takes any free port. */
  readonly port: number;
  readonly routes: readonly Route[];
  /** `undefined` while the realm is still starting: the request is answered 503. */
  readonly endpointOf: (entry: string) => Endpoint | undefined;
  /**
   * Timeout of a function, by its file. Beyond it the request ends in 500, as when Lambda kills the
   * function.
   */
  readonly functionTimeoutMs?: (entry: string) => number;
  /** How long API Gateway waits for any function. Then it answers 503. */
  readonly integrationTimeoutMs?: number;
  /** Which requests a route lets through; all where it is left out. */
  readonly throttle?: Throttle;
  /** How many functions run at once while other requests wait; all where it is left out. */
  readonly limited?: Limited;
  /** Host names that it answers to beside 127.0.0.1 and localhost: those of a tunnel. */
  readonly hostNames?: readonly string[];
  readonly log?: Log;
}

export interface Gateway {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** API Gateway's limit for a request, and Lambda's limit for an event. */
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;
const MAX_EVENT_BYTES = 6 * 1024 * 1024;
/** Limit of the request line and all headers together. */
const MAX_HEADER_BYTES = 10_240;

class Answer extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const server: Server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      if (request.errored !== null || response.headersSent) {
        response.destroy(); // the client has gone
        return;
      }
      const { status, message } = answerTo(error, options);
      request.resume();
      const close = !request.complete;
      reply(response, { statusCode: status, body: { message }, close });
    });
  });
  const port = await listenOn(server, options.port);
  return { port, url: `http://127.0.0.1:${port}`, close: () => stop(server) };
}

function answerTo(error: unknown, { log, realm }: GatewayOptions): Answer {
  if (error instanceof Answer) return error;
  log?.error(`a function of ${realm} failed: ${String(error)}`);
  return new Answer(500, 'Internal Server Error');
}

async function answer(
  options: GatewayOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // API Gateway answers 403 to the name of another API. Origins and content types are checked by
  // the app.
  if (!isOwnName(request.headers.host, options.hostNames)) throw new Answer(403, 'Forbidden');
  const routed = routed404(options.routes, request);
  if (options.throttle && !options.throttle(routed.route))
    throw new Answer(429, 'Too Many Requests');
  const body = await bodyOf(request);
  const event = eventOf(request, body, routed);
  if (Buffer.byteLength(JSON.stringify(event)) > MAX_EVENT_BYTES)
    throw new Answer(413, 'Request Entity Too Large');

  const { entry } = routed.route;
  const endpoint = options.endpointOf(entry);
  if (endpoint === undefined) throw new Answer(503, 'Service Unavailable');
  const timeoutMs = options.functionTimeoutMs?.(entry) ?? sizeOf(entry).timeoutSeconds * 1000;
  const { limited = (run) => run() } = options;
  const call = limited(() =>
    invoke({ realm: options.realm, entry }, timeoutMs, (context) => endpoint(event, context)),
  );
  const result = await within(options.integrationTimeoutMs ?? 30_000, call);
  replyWith(response, result, event.requestContext.requestId);
}

function routed404(routes: readonly Route[], request: IncomingMessage) {
  try {
    const routed = routeOf(routes, request.method ?? '', splitTarget(request.url ?? '/').path);
    if (routed) return routed;
  } catch {
    throw new Answer(400, 'Bad Request');
  }
  throw new Answer(404, 'Not Found');
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > MAX_REQUEST_BYTES) throw new Answer(413, 'Request Entity Too Large');
    chunks.push(buffer);
  }
  return Buffer.concat(chunks);
}

async function within<T>(ms: number, call: Promise<T>): Promise<T> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Answer(503, 'Service Unavailable')), ms);
  try {
    return await Promise.race([call, tooLate]);
  } catch (error) {
    if (error instanceof TimedOut) throw new Answer(500, 'Internal Server Error');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** A structured result, or any other value as the JSON body of a 200, as API Gateway infers it. */
function replyWith(response: ServerResponse, result: unknown, requestId: string): void {
  response.setHeader('apigw-requestid', requestId);
  if (!isRecord(result) || typeof result['statusCode'] !== 'number') {
    reply(response, { statusCode: 200, body: result ?? null });
    return;
  }
  for (const [name, value] of Object.entries(
    isRecord(result['headers']) ? result['headers'] : {},
  )) {
    response.setHeader(name, String(value));
  }
  if (Array.isArray(result['cookies']))
    response.setHeader('set-cookie', result['cookies'].map(String));
  if (!response.hasHeader('content-type'))
    response.setHeader('content-type', 'text/plain;charset=UTF-8');
  const body = result['body'] === undefined ? '' : String(result['body']);
  response.writeHead(result['statusCode']);
  response.end(result['isBase64Encoded'] === true ? Buffer.from(body, 'base64') : body);
}

function reply(
  response: ServerResponse,
  { statusCode, body, close = false }: { statusCode: number; body: unknown; close?: boolean },
): void {
  response.setHeader('content-type', 'application/json');
  if (close) response.setHeader('connection', 'close');
  response.writeHead(statusCode);
  response.end(JSON.stringify(body));
}

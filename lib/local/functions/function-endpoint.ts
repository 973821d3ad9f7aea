/**
 * Lambda's Invoke on one HTTP port, for the background functions that operators and schedules call.
 */
import type { IncomingMessage } from 'node:http';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { listenOn, localServer, Refused, stop, textOf } from '../http.ts';

export interface FunctionEndpointOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /**
   * Finds a function by its physical name; `undefined` for an unknown one, or one that may not be
   * called from outside.
   */
  readonly functionNamed: (name: string) => BackgroundFunction | undefined;
  readonly run: (realm: Realm, entry: string, event: unknown) => Promise<unknown>;
}

export interface BackgroundFunction {
  readonly realm: Realm;
  /** File below `lambdas/`. */
  readonly entry: string;
}

export interface FunctionEndpoint {
  readonly url: string;
  close(): Promise<void>;
}

/** Lambda's limit for one event. */
const MAX_EVENT_BYTES = 6 * 1024 * 1024;
/** The SDKs send a payload as bytes. */
const TYPES = ['application/json', 'application/octet-stream', 'application/x-amz-json-1.1'];
const INVOCATIONS = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

export async function startFunctionEndpoint(
  options: FunctionEndpointOptions,
): Promise<FunctionEndpoint> {
  const server = localServer(
    async (request, response) => {
      const { status, headers = {}, body } = await answer(options, request);
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    },
    { types: TYPES, say: asLambdaSays },
  );
  const port = await listenOn(server, options.port);
  return { url: `http://127.0.0.1:${port}`, close: () => stop(server) };
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

async function answer(
  { functionNamed, run }: FunctionEndpointOptions,
  request: IncomingMessage,
): Promise<Answer> {
  const payload = await textOf(request, MAX_EVENT_BYTES);
  const named = INVOCATIONS.exec(request.url ?? '')?.[1];
  const found =
    request.method === 'POST' && named !== undefined ? functionNamed(decoded(named)) : undefined;
  if (found === undefined) {
    const headers = { 'x-amzn-errortype': 'ResourceNotFoundException' };
    return { status: 404, headers, body: { Message: 'Function not found' } };
  }
  const event = jsonOr(payload);
  if (event === undefined) {
    const headers = { 'x-amzn-errortype': 'InvalidRequestContentException' };
    return { status: 400, headers, body: { Message: 'Could not parse request body into json' } };
  }
  try {
    return { status: 200, body: (await run(found.realm, found.entry, event)) ?? null };
  } catch (error) {
    // Lambda's form of an error: the call succeeded, the function failed.
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const headers = { 'x-amz-function-error': 'Unhandled' };
    return { status: 200, headers, body: { errorType: name, errorMessage: message } };
  }
}

const asLambdaSays = ({ status, message }: Refused) => ({
  headers: {
    'content-type': 'application/json',
    'x-amzn-errortype': status === 500 ? 'ServiceException' : 'InvalidRequestContentException',
  },
  body: JSON.stringify({ Message: message }),
});

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw new Refused(400, 'the name of the function is not well encoded');
  }
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text || '{}');
  } catch {
    return undefined;
  }
}

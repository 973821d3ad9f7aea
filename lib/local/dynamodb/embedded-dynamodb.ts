/**
 * DynamoDB of all regions in this process, behind one HTTP port. A request goes to the store of the
 * region in its signature's credential scope, so that handlers need only
 * `AWS_ENDPOINT_URL_DYNAMODB`.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { awsRefusal, listenOn, localServer, Refused, textOf } from '../http.ts';
import type { UnwritableDataDir } from '../unwritable.ts';
import { type DynamoDbStore, errorReply, openStore, withSize } from './dynamodb-store.ts';

/** One request to DynamoDB, as observers and test hooks get it. */
export interface DynamoDbCall {
  readonly region: string;
  /** Of the credentials that have signed it. */
  readonly accessKey?: string;
  /** `Query`, `BatchWriteItem`… */
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/**
 * A fault that a test injects into a call. `unprocessed` counts the writes of a `BatchWriteItem`,
 * or the keys of a `BatchGetItem`, from the last, that are left.
 */
export interface InjectedFault {
  readonly delayMs?: number;
  /** Name of an AWS error; `InternalServerError` and `ServiceUnavailable` come with status 500. */
  readonly error?: string;
  /** The message of that error. */
  readonly says?: string;
  readonly unprocessed?: number;
  /** `DescribeTable` says this size: the store does not count its own. */
  readonly tableSizeBytes?: number;
  /** The call is made, but the connection breaks before its answer. */
  readonly lost?: true;
}

export interface EmbeddedDynamoDbOptions {
  /** 0 takes a free port. */
  readonly port: number;
  /** LevelDB stores in `{dataDir}/{region}`; in memory where it is left out. */
  readonly dataDir?: string;
  readonly regions: readonly string[];
  /**
   * The reads that may go without `ConsistentRead`, beside every Query on an index; all others are
   * refused.
   */
  readonly strict?: { readonly allowEventualReads: (call: DynamoDbCall) => boolean };
  /** Called before every call, which waits for the promise. */
  readonly onRequest?: (call: DynamoDbCall) => void | Promise<void>;
  /** Called after every call, before its answer is sent. */
  readonly onAnswered?: (call: DynamoDbCall) => void;
  readonly inject?: (call: DynamoDbCall) => InjectedFault | undefined;
  /**
   * Called once for each region whose store cannot be written to any more. It then answers every
   * call with status 500.
   */
  readonly onUnwritable?: (error: UnwritableDataDir) => void;
}

export interface EmbeddedDynamoDb {
  readonly url: string;
  /** Waits for running calls, then closes the stores. A second call does nothing. */
  close(): Promise<void>;
}

/**
 * Rejects with `DataDirInUse`, `UnwritableDataDir` or the error of a port in use, and leaves
 * nothing open.
 */
export async function startEmbeddedDynamoDb(
  options: EmbeddedDynamoDbOptions,
): Promise<EmbeddedDynamoDb> {
  await using opened = new AsyncDisposableStack();
  const stores = new Map<string, DynamoDbStore>();
  for (const region of options.regions) {
    const { dataDir, onUnwritable } = options;
    const store = await openStore(region, { dataDir, onUnwritable });
    opened.defer(() => store.close());
    stores.set(region, store);
  }
  const underWay = new Set<Promise<void>>();

  const server = localServer(
    (request, response) => {
      const answer = answerTo(request, response).finally(() => underWay.delete(answer));
      underWay.add(answer);
      return answer;
    },
    { types: TYPES, say: awsRefusal('ValidationException') },
  );
  const port = await listenOn(server, options.port);

  async function answerTo(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      response.end('healthy: the embedded DynamoDB');
      return;
    }
    if (request.method !== 'POST') throw new Refused(405, 'DynamoDB is asked with POST');
    const [accessKey = '', region = ''] = signedFor(request);
    const operation = String(request.headers['x-amz-target'] ?? '').split('.')[1] ?? '';
    const answer = await reply(
      { region, accessKey, operation },
      await textOf(request, MAX_REQUEST_BYTES),
    );
    if (answer === 'lost')
      response.destroy(); // the client sees a network fault
    else response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  async function reply(asked: Omit<DynamoDbCall, 'input'>, body: string) {
    const { region, operation } = asked;
    const store = stores.get(region);
    if (store === undefined) {
      return errorReply(
        'UnrecognizedClientException',
        `this host has no region "${region}", only ${[...stores.keys()].join(', ')}`,
      );
    }
    const call = { ...asked, input: inputOf(body) };
    await options.onRequest?.(call);
    const read = eventualRead(call);
    if (read !== undefined && !options.strict?.allowEventualReads(call)) {
      return errorReply(
        'ValidationException',
        `${read} reads without ConsistentRead: it could miss what was just written`,
      );
    }
    const fault = options.inject?.(call) ?? {};
    if (fault.delayMs !== undefined) await pause(fault.delayMs);
    if (fault.error !== undefined) return errorReply(fault.error, fault.says ?? 'injected');
    const answer = await (fault.unprocessed === undefined
      ? store.call(operation, body)
      : store.callWithout(fault.unprocessed, operation, body));
    options.onAnswered?.(call);
    if (fault.tableSizeBytes !== undefined) return withSize(answer, fault.tableSizeBytes);
    return fault.lost ? ('lost' as const) : answer;
  }

  const open = opened.move();
  let closing: Promise<void> | undefined;
  async function closeAll(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await Promise.all(underWay);
    server.closeAllConnections();
    await closed;
    await open.disposeAsync();
  }

  return { url: `http://127.0.0.1:${port}`, close: () => (closing ??= closeAll()) };
}

/** The limit of DynamoDB. */
const MAX_REQUEST_BYTES = 16 * 1024 * 1024;
const TYPES = ['application/x-amz-json-1.0', 'application/json'];

/** Access key and region: `Credential=key/20261124/us-east-1/dynamodb/aws4_request`. */
const signedFor = ({ headers: { authorization = '' } }: IncomingMessage): readonly string[] =>
  /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(authorization)?.slice(1) ?? [];

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

function inputOf(body: string): Readonly<Record<string, unknown>> {
  try {
    const input: unknown = JSON.parse(body);
    return isRecord(input) ? input : {};
  } catch {
    return {}; // the store has the right error for it
  }
}

/**
 * What is copied ahead of a window may miss what is new, and says so: a Query of a part that asks
 * for `ConsistentRead: false` in so many words.
 */
export const allowsCopyAhead = ({ operation, input }: DynamoDbCall): boolean =>
  operation === 'Query' &&
  input.ConsistentRead === false &&
  !/-(tenants|migrations)$/.test(String(input.TableName));

/**
 * Names a read for which DynamoDB might return old data. dynalite never does, so that the mistake
 * would show only in the cloud. An index has no consistent reads, so a Query on one may pass.
 */
function eventualRead({ operation, input }: DynamoDbCall): string | undefined {
  const onTable = `${operation} on ${String(input.TableName)}`;
  if (operation === 'Query')
    return input.ConsistentRead === true || input.IndexName !== undefined ? undefined : onTable;
  if (operation === 'GetItem' || operation === 'Scan')
    return input.ConsistentRead === true ? undefined : onTable;
  if (operation !== 'BatchGetItem' || !isRecord(input.RequestItems)) return undefined;
  const table = Object.entries(input.RequestItems).find(
    ([, keys]) => !isRecord(keys) || keys.ConsistentRead !== true,
  );
  return table && `${operation} on ${table[0]}`;
}

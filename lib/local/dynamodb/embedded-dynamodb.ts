/**
 * DynamoDB of all regions in this process, behind one HTTP port: a request goes to the store of the region in its
 * signature's credential scope, so that handlers need nothing but `AWS_ENDPOINT_URL_DYNAMODB`.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type DynamoDbStore, errorReply, openStore, type StoreRequest } from './dynamodb-store.ts';

/** One request to DynamoDB, as its handlers and test hooks see it. */
export interface DynamoDbCall {
  readonly region: string;
  /** `Query`, `BatchWriteItem`… */
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** What a test can do to a call. `unprocessed` is for `BatchWriteItem`: its last so many writes are left undone. */
export interface InjectedFault {
  readonly delayMs?: number;
  /** Name of an AWS error; `InternalServerError` and `ServiceUnavailable` come with status 500. */
  readonly error?: string;
  readonly unprocessed?: number;
  /** The call happens, but the connection breaks before its answer. */
  readonly lost?: true;
}

export interface EmbeddedDynamoDbOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** LevelDB stores in `{dataDir}/{region}`; in memory without it. */
  readonly dataDir?: string;
  readonly regions: readonly string[];
  /** Reads without `ConsistentRead` that are let through although they are not a Query on an index. */
  readonly strict?: { readonly allowEventualReads: (call: DynamoDbCall) => boolean };
  /** Sees every call before it happens, and may hold it up. */
  readonly onRequest?: (call: DynamoDbCall) => void | Promise<void>;
  /** Told of every call that has happened, before its answer is on its way. */
  readonly onAnswered?: (call: DynamoDbCall) => void;
  readonly inject?: (call: DynamoDbCall) => InjectedFault | undefined;
}

export interface EmbeddedDynamoDb {
  readonly url: string;
  /** Ends what is under way, then closes the stores. Closing twice is closing once. */
  close(): Promise<void>;
}

/** Rejects with `DataDirInUse`, or with the error of a port that is taken, and then leaves nothing open. */
export async function startEmbeddedDynamoDb(
  options: EmbeddedDynamoDbOptions,
): Promise<EmbeddedDynamoDb> {
  await using opened = new AsyncDisposableStack();
  const stores = new Map<string, DynamoDbStore>();
  for (const region of options.regions) {
    const store = await openStore(region, options.dataDir);
    opened.defer(() => store.close());
    stores.set(region, store);
  }
  const underWay = new Set<Promise<void>>();

  const server = createServer((request, response) => {
    const answer = answerTo(request, response).finally(() => underWay.delete(answer));
    underWay.add(answer);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;

  async function answerTo(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { method = 'POST', url = '/', headers } = request;
      const {
        status,
        headers: own,
        body,
      } = await reply({ method, url, headers, body: await bodyOf(request) });
      response.writeHead(status, own).end(body);
    } catch {
      response.destroy(); // to the caller, a network fault
    }
  }

  async function reply(request: StoreRequest) {
    const region =
      /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const store = stores.get(region);
    if (store === undefined) {
      return errorReply(
        'UnrecognizedClientException',
        `this host has no region "${region}", only ${[...stores.keys()].join(', ')}`,
      );
    }
    const call = callOf(region, request);
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
    if (fault.error !== undefined) return errorReply(fault.error, 'injected');
    const answer = await (fault.unprocessed === undefined
      ? store.call(request)
      : store.callWithout(fault.unprocessed, request, call.input));
    options.onAnswered?.(call);
    if (fault.lost) throw new Error('the answer is lost');
    return answer;
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

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

function callOf(region: string, { headers, body }: StoreRequest): DynamoDbCall {
  const operation = String(headers['x-amz-target'] ?? '').split('.')[1] ?? '';
  try {
    const input: unknown = JSON.parse(body.toString());
    return { region, operation, input: isRecord(input) ? input : {} };
  } catch {
    return { region, operation, input: {} }; // dynalite has the right words for it
  }
}

/**
 * Names a read that DynamoDB might answer with old data. dynalite never does, so that the mistake would show in the
 * cloud only. An index cannot be read in any other way.
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

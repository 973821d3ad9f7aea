/** One region's store: dynalite, called like a function. */
import { mkdir } from 'node:fs/promises';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import dynalite from 'dynalite';

export interface StoreRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface StoreReply {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

export interface DynamoDbStore {
  call(request: StoreRequest): Promise<StoreReply>;
  /** A `BatchWriteItem` whose last `count` writes are left undone, which dynalite itself never does. */
  callWithout(
    count: number,
    request: StoreRequest,
    input: Readonly<Record<string, unknown>>,
  ): Promise<StoreReply>;
  close(): Promise<void>;
}

export async function openStore(
  region: string,
  dataDir: string | undefined,
): Promise<DynamoDbStore> {
  const path = dataDir === undefined ? undefined : join(dataDir, region);
  if (path !== undefined) await mkdir(path, { recursive: true });
  const server = dynalite({
    ...(path !== undefined && { path }),
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
  });
  // Nobody connects here, but dynalite closes its database only as the end of a server that was listening.
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });

  function call({ method, url, headers, body }: StoreRequest): Promise<StoreReply> {
    return new Promise((resolve) => {
      const request = Object.assign(Readable.from([body]), { method, url, headers });
      const replyHeaders: OutgoingHttpHeaders = {};
      const response = {
        statusCode: 200,
        setHeader(name: string, value: string | number) {
          replyHeaders[name] = value;
        },
        end(text = '') {
          resolve({ status: response.statusCode, headers: replyHeaders, body: text });
        },
      };
      server.emit('request', request, response);
    });
  }

  async function callWithout(
    count: number,
    request: StoreRequest,
    input: Readonly<Record<string, unknown>>,
  ): Promise<StoreReply> {
    const [[table, writes] = []] = Object.entries(Object(input.RequestItems));
    if (table === undefined || !Array.isArray(writes)) return call(request);
    const taken = writes.slice(0, -count);
    if (taken.length === 0) return errorReply('ProvisionedThroughputExceededException', 'injected');
    const body = Buffer.from(JSON.stringify({ ...input, RequestItems: { [table]: taken } }));
    const reply = await call({ ...request, body });
    if (reply.status !== 200) return reply;
    const left = JSON.stringify({ UnprocessedItems: { [table]: writes.slice(-count) } });
    return { status: 200, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: left };
  }

  const close = () =>
    new Promise<void>((resolve, reject) => {
      server.close((error) => (error ? reject(error) : resolve()));
    });

  return { call, callWithout, close };
}

export function errorReply(name: string, message: string): StoreReply {
  const status = ['InternalServerError', 'ServiceUnavailable'].includes(name) ? 500 : 400;
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message }),
  };
}

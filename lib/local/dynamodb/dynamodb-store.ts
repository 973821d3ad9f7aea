/** One region's store: dynalite, called like a function, and mended after a kill. */
import { mkdir } from 'node:fs/promises';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import dynalite from 'dynalite';
import stores, { type Store, type Table } from 'dynalite/db/index.js';

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

/** Two hosts on the same data would each believe that they are alone. */
export class DataDirInUse extends Error {
  override readonly name = 'DataDirInUse';
  constructor(dataDir: string) {
    super(`the data directory ${dataDir} is in use by another host`);
  }
}

export async function openStore(
  region: string,
  dataDir: string | undefined,
): Promise<DynamoDbStore> {
  const path = dataDir === undefined ? undefined : join(dataDir, region);
  if (path !== undefined) {
    await mkdir(path, { recursive: true });
    await mend(path).catch((error: unknown) => {
      throw isLocked(error) ? new DataDirInUse(dataDir ?? path) : error;
    });
  }
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

/**
 * dynalite keeps every write that it has acknowledged, whenever its process is killed (LevelDB hands each one to the
 * operating system first). What it does in two writes can be left half done, which DynamoDB never leaves: a table that is
 * being created for ever, and an item that its index has forgotten. Opening the store here first has a second use: dynalite
 * itself ends the process where it cannot.
 */
async function mend(path: string): Promise<void> {
  const store = stores.create({ path });
  await store.db.open();
  try {
    for await (const table of within(store, 'table')) {
      if (isTable(table)) await mendTable(store, table);
    }
  } finally {
    await store.db.close();
  }
}

async function mendTable(store: Store, table: Table): Promise<void> {
  const indexes = table.GlobalSecondaryIndexes ?? [];
  if (table.TableStatus === 'CREATING') {
    table.TableStatus = 'ACTIVE';
    for (const index of indexes) index.IndexStatus = 'ACTIVE';
    await store.db.put(`table~${table.TableName}`, table);
  }
  if (indexes.length === 0) return;
  const updateIndexes = promisify(stores.updateIndexes);
  for await (const item of within(store, `item-${table.TableName}`)) {
    if (isRecord(item)) await updateIndexes(store, table, item, item);
  }
}

/** dynalite keeps everything in one LevelDB, apart by prefixes. */
const within = ({ db }: Store, prefix: string): AsyncIterable<unknown> =>
  db.values({ gte: `${prefix}~`, lt: `${prefix}~\xff` });

const isRecord = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isTable = (value: unknown): value is Table =>
  isRecord(value) && 'TableName' in value && 'TableStatus' in value;

/** As classic-level says it: the cause of a database that is not open. */
const isLocked = (error: unknown): boolean =>
  error instanceof Error &&
  error.cause instanceof Error &&
  'code' in error.cause &&
  error.cause.code === 'LEVEL_LOCKED';

export function errorReply(name: string, message: string): StoreReply {
  const status = ['InternalServerError', 'ServiceUnavailable'].includes(name) ? 500 : 400;
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message }),
  };
}

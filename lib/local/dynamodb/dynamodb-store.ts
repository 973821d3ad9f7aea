/**
 * The store of one region: dynalite's operations on one LevelDB. It is repaired when it opens after
 * a kill, and refuses all writes once its disk is full.
 */

import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import stores, { type Store, type Table } from 'dynalite/db/index.js';
import { defined } from '../../../lambdas/domain/defined.ts';
import { type UnwritableDataDir, unwritable } from '../unwritable.ts';
import { isDynamoDbError, isOperation, perform } from './dynalite-operations.ts';
import { refusalOf } from './dynamodb-limits.ts';

export interface StoreReply {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

export interface DynamoDbStore {
  /** `body` is the JSON of the request. */
  call(operation: string, body: string): Promise<StoreReply>;
  /**
   * A `BatchWriteItem` that leaves its last `count` writes unprocessed, or a `BatchGetItem` its
   * last keys, which dynalite itself never does.
   */
  callWithout(count: number, operation: string, body: string): Promise<StoreReply>;
  close(): Promise<void>;
}

/** Two hosts on the same data would each take the other's executions for dead. */
export class DataDirInUse extends Error {
  override readonly name = 'DataDirInUse';
  constructor(dataDir: string) {
    super(`the data directory ${dataDir} is in use by another host`);
  }
}

export interface StoreOptions {
  readonly dataDir?: string | undefined;
  /** Called once, at the first write that the disk refuses. */
  readonly onUnwritable?: ((error: UnwritableDataDir) => void) | undefined;
}

/** Rejects with `DataDirInUse` or `UnwritableDataDir`. */
export async function openStore(
  region: string,
  { dataDir, onUnwritable }: StoreOptions = {},
): Promise<DynamoDbStore> {
  const path = dataDir === undefined ? undefined : join(dataDir, region);
  if (path !== undefined) {
    try {
      await mkdir(path, { recursive: true });
      await mend(path);
    } catch (error) {
      if (isLocked(error)) throw new DataDirInUse(dataDir ?? path);
      throw unwritable(dataDir ?? path, error) ?? error;
    }
  }
  const store = stores.create({
    ...defined({ path }),
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
  });
  let broken: UnwritableDataDir | undefined;

  async function call(operation: string, body: string): Promise<StoreReply> {
    if (broken) return errorReply('InternalServerError', broken.message);
    if (!isOperation(operation)) {
      const message = `the local host does not answer ${operation}`;
      return errorReply('UnknownOperationException', message);
    }
    const input = jsonOr(body);
    const refused = refusalOf(input);
    if (refused) return errorReply(refused.name, refused.message);
    try {
      return reply(200, await perform(store, operation, Object(input)));
    } catch (error) {
      if (isDynamoDbError(error)) return reply(error.statusCode, error.body);
      return errorReply('InternalServerError', noted(error));
    }
  }

  /** After the first refused write, the store acknowledges no call any more. */
  function noted(error: unknown): string {
    const full = unwritable(dataDir ?? '', error);
    if (full && !broken) {
      broken = full;
      onUnwritable?.(full);
    }
    return full?.message ?? 'the local host could not answer this';
  }

  async function callWithout(count: number, operation: string, body: string): Promise<StoreReply> {
    const input: Readonly<Record<string, unknown>> = { ...Object(jsonOr(body)) };
    const [[table, writes] = []] = Object.entries(Object(input['RequestItems']));
    if (table !== undefined && operation === 'BatchGetItem')
      return readWithout(count, table, { ...Object(writes) });
    if (table === undefined || !Array.isArray(writes)) return call(operation, body);
    const taken = writes.slice(0, -count);
    if (taken.length === 0) return errorReply('ProvisionedThroughputExceededException', 'injected');
    const some = { ...input, RequestItems: { [table]: taken } };
    const answer = await call(operation, JSON.stringify(some));
    if (answer.status !== 200) return answer;
    return reply(200, { UnprocessedItems: { [table]: writes.slice(-count) } });
  }

  async function readWithout(count: number, table: string, asked: Record<string, unknown>) {
    const keys: readonly unknown[] = Array.isArray(asked['Keys']) ? asked['Keys'] : [];
    const left = { ...asked, Keys: keys.slice(-count) };
    const some = { ...asked, Keys: keys.slice(0, -count) };
    if (some.Keys.length === 0)
      return reply(200, { Responses: {}, UnprocessedKeys: { [table]: left } });
    const body = JSON.stringify({ RequestItems: { [table]: some } });
    const answer = await call('BatchGetItem', body);
    if (answer.status !== 200) return answer;
    const { Responses }: Record<string, unknown> = { ...Object(jsonOr(String(answer.body))) };
    return reply(200, { Responses, UnprocessedKeys: { [table]: left } });
  }

  return { call, callWithout, close: () => store.db.close() };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * dynalite keeps every write that it has acknowledged, whenever its process is killed, because
 * LevelDB hands each write to the operating system first. But what dynalite does in two writes can
 * be half done, which DynamoDB never shows: a table whose creation never ends, and an item that is
 * missing in its index.
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

/** dynalite keeps everything in one LevelDB, under prefixes. */
const within = ({ db }: Store, prefix: string): AsyncIterable<unknown> =>
  db.values({ gte: `${prefix}~`, lt: `${prefix}~\xff` });

const isRecord = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isTable = (value: unknown): value is Table =>
  isRecord(value) && 'TableName' in value && 'TableStatus' in value;

/** classic-level gives this as the cause where another process has the database open. */
const isLocked = (error: unknown): boolean =>
  error instanceof Error &&
  error.cause instanceof Error &&
  'code' in error.cause &&
  error.cause.code === 'LEVEL_LOCKED';

export const errorReply = (name: string, message: string): StoreReply =>
  reply(['InternalServerError', 'ServiceUnavailable'].includes(name) ? 500 : 400, {
    __type: `com.amazonaws.dynamodb.v20120810#${name}`,
    message,
  });

/** The answer of a `DescribeTable` whose table has this size, in bytes. */
export function withSize(answer: StoreReply, bytes: number): StoreReply {
  const { Table }: Record<string, unknown> = { ...Object(jsonOr(String(answer.body))) };
  return reply(answer.status, { Table: { ...Object(Table), TableSizeBytes: bytes } });
}

function reply(status: number, output: unknown): StoreReply {
  const body = JSON.stringify(output);
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(body),
    'x-amzn-requestid': randomUUID(),
    'x-amz-crc32': crc32(body),
  };
  return { status, headers, body };
}

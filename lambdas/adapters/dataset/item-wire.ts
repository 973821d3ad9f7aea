/**
 * The calls that read and write items (Query, Scan, BatchGetItem, BatchWriteItem), with items as
 * JSON text. The SDK signs, sends and retries; it does not parse and rebuild every attribute, which
 * cost a third of the CPU of a copy (measured).
 */
import { setTimeout as pause } from 'node:timers/promises';
import type {
  DynamoDBClient,
  QueryCommandInput,
  ScanCommandInput,
  WriteRequest,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { Fault } from '../../domain/refusal.ts';
import { isThrottle } from '../aws-errors.ts';
import type { WireItem } from './item-key.ts';

/** One write of a batch as JSON text; `id` is its sort key, as a cursor. */
export interface WireWrite {
  readonly id: string;
  readonly text: string;
}

export const put = (id: string, item: string): WireWrite => ({
  id,
  text: `{"PutRequest":{"Item":${item}}}`,
});
export const remove = (id: string, key: WireItem): WireWrite => ({
  id,
  text: `{"DeleteRequest":{"Key":${JSON.stringify(key)}}}`,
});

/**
 * DynamoDB refuses a request of more than 16 MB. In JSON a control character takes six bytes, so
 * that 25 items of 400 KB may have 60 MB. A tenth is a reserve for the text around the writes, and
 * for a count of bytes that differs from ours.
 */
const BATCH_BYTES = 0.9 * 16 * 1024 * 1024;

/** How many writes, from the first on, may be sent together: at most `most`, and always one. */
export function fittingCount(writes: Iterable<WireWrite>, most: number): number {
  let [count, bytes] = [0, 0];
  for (const { text } of writes) {
    bytes += Buffer.byteLength(text) + 1; // and a comma
    if (count === most || (count > 0 && bytes > BATCH_BYTES)) break;
    count += 1;
  }
  return count;
}

export interface WirePage {
  readonly Items?: readonly WireItem[];
  readonly LastEvaluatedKey?: WireItem;
}

/** A parsed page, and the text of the answer that held it. */
export interface Answered {
  readonly page: WirePage;
  readonly text: string;
}

/**
 * One page of a partition key. Waits where it is read faster than the 3,000 units a second that a
 * key gives: a verification of large items can.
 */
export const queryItems = (client: DynamoDBClient, input: QueryCommandInput): Promise<Answered> =>
  patiently(async () => {
    const command = new QueryCommand(input);
    const answer: Taken = { text: '{}' };
    command.middlewareStack.add(taking(answer), AS_THEY_COME);
    await client.send(command);
    return { page: JSON.parse(answer.text), text: answer.text };
  });

/** A page of a scan, with the number of items that it has read, and what they have cost. */
export interface Scanned extends WirePage {
  readonly ScannedCount?: number;
  readonly ConsumedCapacity?: { readonly CapacityUnits?: number };
}

/** One page of a scan. Waits where the table is read faster than it allows. */
export const scanItems = (client: DynamoDBClient, input: ScanCommandInput): Promise<Scanned> =>
  patiently(async () => {
    const command = new ScanCommand(input);
    const answer: Taken = { text: '{}' };
    command.middlewareStack.add(taking(answer), AS_THEY_COME);
    await client.send(command);
    return JSON.parse(answer.text);
  });

/** Repeats a read that DynamoDB throttles; the SDK itself gives up after three tries. */
async function patiently<T>(read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      if (!isThrottle(error) || tries === MOST_TRIES) throw error;
      await pause(waitBefore(tries));
    }
  }
}

/** Milliseconds. */
const waitBefore = (tries: number): number =>
  Math.min(1_000, 10 * 2 ** tries) * (0.5 + Math.random());

/**
 * The items under these keys of one table, 100 at most, strongly consistent; in no particular
 * order, and none for a key that has none.
 */
export async function itemsAt(
  client: DynamoDBClient,
  table: string,
  keys: readonly WireItem[],
): Promise<readonly WireItem[]> {
  const found: WireItem[] = [];
  let left = keys;
  for (let tries = 0; left.length > 0; tries += 1) {
    if (tries === MOST_TRIES)
      throw new Fault(`table ${table} does not answer for ${left.length} keys`);
    if (tries > 0) await pause(waitBefore(tries));
    const { Responses: items, UnprocessedKeys: others } = await patiently(() =>
      batchOf(client, table, left),
    );
    found.push(...(items?.[table] ?? []));
    left = others?.[table]?.Keys ?? [];
  }
  return found;
}

async function batchOf(
  client: DynamoDBClient,
  table: string,
  keys: readonly WireItem[],
): Promise<BatchAnswer> {
  const command = new BatchGetItemCommand({ RequestItems: { [table]: { Keys: [] } } });
  const asked = { RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } };
  const answer: Taken = { text: '{}' };
  command.middlewareStack.add(sending(Buffer.from(JSON.stringify(asked))), AS_THEY_GO);
  command.middlewareStack.add(taking(answer), AS_THEY_COME);
  await client.send(command);
  return JSON.parse(answer.text);
}

/** In about ten seconds. */
const MOST_TRIES = 16;

interface BatchAnswer {
  readonly Responses?: Readonly<Record<string, readonly WireItem[]>>;
  readonly UnprocessedKeys?: Readonly<Record<string, { readonly Keys: readonly WireItem[] }>>;
}

/** Returns the writes that DynamoDB left unprocessed. Throws the SDK's errors. */
export async function writeItems(
  client: DynamoDBClient,
  table: string,
  writes: readonly WireWrite[],
): Promise<readonly WriteRequest[]> {
  const command = new BatchWriteItemCommand({ RequestItems: { [table]: [] } });
  const texts = writes.map(({ text }) => text).join();
  // The text is encoded once, not each time it is measured, signed and sent.
  const body = Buffer.from(`{"RequestItems":{${JSON.stringify(table)}:[${texts}]}}`);
  command.middlewareStack.add(sending(body), AS_THEY_GO);
  const { UnprocessedItems } = await client.send(command);
  return UnprocessedItems?.[table] ?? [];
}

interface Taken {
  text: string;
}

/** Takes the text of an answer, and leaves the SDK nothing to parse. */
const taking =
  (answer: Taken) =>
  <Args, Out extends { response: unknown }>(next: (args: Args) => Promise<Out>) =>
  async (args: Args): Promise<Out> => {
    const result = await next(args);
    if (isAnswer(result.response) && result.response.statusCode === 200) {
      answer.text = await textOf(result.response.body);
      result.response.body = new Uint8Array();
    }
    return result;
  };

/** Sends this body instead of the SDK's. */
const sending =
  (body: Buffer) =>
  <Args extends { request: unknown }, Out>(next: (args: Args) => Promise<Out>) =>
  (args: Args): Promise<Out> => {
    if (!isRequest(args.request))
      throw new Error('the SDK sends something that is not an HTTP request');
    args.request.body = body;
    return next(args);
  };

const AS_THEY_COME = { step: 'deserialize', priority: 'low', name: 'itemsAsTheyCome' } as const;
/** Before the length of the body is taken, and the request is signed. */
const AS_THEY_GO = { step: 'build', priority: 'high', name: 'itemsAsTheyGo' } as const;

interface HttpAnswer {
  readonly statusCode: number;
  body: unknown;
}

const isAnswer = (response: unknown): response is HttpAnswer =>
  typeof response === 'object' &&
  response !== null &&
  'statusCode' in response &&
  'body' in response;
const isRequest = (request: unknown): request is { body: unknown } =>
  typeof request === 'object' && request !== null && 'body' in request;
const isStream = (body: unknown): body is AsyncIterable<Uint8Array> =>
  typeof body === 'object' && body !== null && Symbol.asyncIterator in body;

async function textOf(body: unknown): Promise<string> {
  if (!isStream(body)) throw new Error('the SDK hands over an answer that is not a stream');
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/**
 * The two calls of the hot path, Query and BatchWriteItem, with items as JSON text. The SDK signs,
 * sends and retries; it does not parse and rebuild every attribute, which cost a third of the CPU
 * of a copy (measured).
 */
import type { DynamoDBClient, QueryCommandInput, WriteRequest } from '@aws-sdk/client-dynamodb';
import { BatchWriteItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
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

export async function queryItems(
  client: DynamoDBClient,
  input: QueryCommandInput,
): Promise<Answered> {
  const command = new QueryCommand(input);
  let text = '{}';
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      if (isAnswer(result.response) && result.response.statusCode === 200) {
        text = await textOf(result.response.body);
        result.response.body = new Uint8Array(); // nothing is left for the SDK to parse
      }
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'itemsAsTheyTravel' },
  );
  await client.send(command);
  return { page: JSON.parse(text), text };
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
  command.middlewareStack.add(
    (next) => (args) => {
      if (!isRequest(args.request))
        throw new Error('the SDK sends something that is not an HTTP request');
      args.request.body = body;
      return next(args);
    },
    // before its length is taken, and it is signed
    { step: 'build', priority: 'high', name: 'itemsAsTheyTravel' },
  );
  const { UnprocessedItems } = await client.send(command);
  return UnprocessedItems?.[table] ?? [];
}

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

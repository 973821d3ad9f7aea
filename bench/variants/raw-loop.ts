/**
 * Shared by the plain rivals: the raw client, one page at a time, and batches that are sent until
 * nothing is left unprocessed.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  type BatchWriteItemCommandOutput,
  DynamoDBClient,
  QueryCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { CREDENTIALS, type Job } from './job.ts';

export type Items = readonly Record<string, AttributeValue>[];

export const clientIn = (endpoint: string, region: string): DynamoDBClient =>
  new DynamoDBClient({
    endpoint,
    region,
    credentials: CREDENTIALS,
    requestHandler: { httpAgent: { keepAlive: true, maxSockets: 256 } },
  });

/** Hands each page of each partition to `write`, and waits for it before it reads the next. */
export async function pageByPage(
  { endpoint, sourceRegion, sourceTable, targetRegion, targetTable, partitions }: Job,
  begin: () => Promise<void>,
  write: (client: DynamoDBClient, table: string, items: Items) => Promise<void>,
): Promise<void> {
  const [source, target] = [clientIn(endpoint, sourceRegion), clientIn(endpoint, targetRegion)];
  await begin();
  for (const partition of partitions) {
    let after: Record<string, AttributeValue> | undefined;
    do {
      const page = await source.send(
        new QueryCommand({
          TableName: sourceTable,
          ConsistentRead: true,
          KeyConditionExpression: '#p = :p',
          ExpressionAttributeNames: { '#p': 'tenant' },
          ExpressionAttributeValues: { ':p': { S: partition } },
          ExclusiveStartKey: after,
        }),
      );
      await write(target, targetTable, page.Items ?? []);
      after = page.LastEvaluatedKey;
    } while (after !== undefined);
  }
}

export function batchesOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / 25) }, (_, batch) =>
    items.slice(batch * 25, batch * 25 + 25),
  );
}

type Item = Record<string, AttributeValue>;

export const put = (item: Item): WriteRequest => ({ PutRequest: { Item: item } });
export const remove = (item: Item): WriteRequest => ({ DeleteRequest: { Key: keyOf(item) } });

export function keyOf({ tenant, id }: Item): Item {
  if (tenant === undefined || id === undefined) throw new Error('an item has no key');
  return { tenant, id };
}

/**
 * As the documentation of BatchWriteItem says: sends what is unprocessed again, after a pause that
 * doubles each time.
 */
export async function writeBatch(
  client: DynamoDBClient,
  table: string,
  batch: readonly WriteRequest[],
): Promise<void> {
  let left: WriteRequest[] | undefined = [...batch];
  for (let tries = 0; left !== undefined && left.length > 0; tries += 1) {
    if (tries > 0) await pause(50 * 2 ** Math.min(tries, 6) * (0.5 + Math.random() / 2));
    try {
      const request = new BatchWriteItemCommand({ RequestItems: { [table]: left } });
      const answer: BatchWriteItemCommandOutput = await client.send(request);
      left = answer.UnprocessedItems?.[table];
    } catch (error) {
      // The SDK has tried three times before.
      if (!(error instanceof Error && error.name === 'ProvisionedThroughputExceededException'))
        throw error;
    }
  }
}

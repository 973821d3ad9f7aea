/**
 * The write window of a worker that stops: sent batches land, and the worker does not wait for the
 * others.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { put } from '../../../lambdas/adapters/dataset/item-wire.ts';
import { writeWindow } from '../../../lambdas/adapters/dataset/write-window.ts';
import type { DynamoDbPart } from '../../../lambdas/domain/datasets/dataset.ts';
import { startEmbeddedDynamoDb } from '../../../lib/local/dynamodb/embedded-dynamodb.ts';
import { createTables, tableDefinitions } from '../../../lib/local/tables.ts';

const PART: DynamoDbPart = {
  kind: 'dynamodb',
  name: 'notes',
  policy: 'move',
  partitionKey: 'tenant',
  sortKey: { name: 'id', type: 'S' },
};

test('a window that is closed settles what it was given, written or not', async () => {
  const region = 'us-test-1';
  const database = await startEmbeddedDynamoDb({
    port: 0,
    regions: [region],
    inject: ({ operation }) => (operation === 'BatchWriteItem' ? { delayMs: 50 } : undefined),
  });
  const client = new DynamoDBClient({
    region,
    endpoint: database.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await createTables(client, tableDefinitions({ name: 'test', parts: [PART] }, 'test', 'us'));
  const window = writeWindow(client, 'test-test-us-notes', PART, { now: () => Date.now() });
  const written = Array.from({ length: 40 }, (_, group) =>
    window.write(
      Array.from({ length: 100 }, (_, item) => {
        const id = `${group}-${item}`;
        return put(id, JSON.stringify({ tenant: { S: 'a' }, id: { S: id } }));
      }),
    ),
  );
  await window.close();
  const ends = await Promise.allSettled(written);
  expect(ends).toHaveLength(40);
  expect(ends.at(-1)).toMatchObject({
    status: 'rejected',
    reason: { message: expect.stringContaining('closed before') },
  });
  client.destroy();
  await database.close();
});

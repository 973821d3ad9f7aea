/**
 * The embedded DynamoDB: separate regions, data that outlives it, and AWS's strictness where
 * dynalite has none.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  type DescribeTableCommandOutput,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { physicalNames } from '../../lambdas/domain/residency.ts';
import {
  type EmbeddedDynamoDb,
  type EmbeddedDynamoDbOptions,
  startEmbeddedDynamoDb,
} from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import { createTables, tableDefinitions } from '../../lib/local/tables.ts';
import { residency } from '../../residency.config.ts';

const tables = tableDefinitions(residency, 'test', 'us');
const { tenants, migrations } = physicalNames(residency, 'test', 'us');
const key = { tenant: { S: 'tenant-1' } };
const record = {
  tenant: { S: 'tenant-1' },
  id: { S: 'm' },
  openIn: { S: 'us' },
  dueAt: { S: '1' },
};

let database: EmbeddedDynamoDb;
let clients: DynamoDBClient[];

function clientIn(region: string): DynamoDBClient {
  const client = new DynamoDBClient({
    endpoint: database.url,
    region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  clients.push(client);
  return client;
}

async function start(options: Partial<EmbeddedDynamoDbOptions> = {}): Promise<DynamoDBClient> {
  database = await startEmbeddedDynamoDb({
    port: 0,
    regions: ['us-east-1', 'eu-central-1'],
    ...options,
  });
  const client = clientIn('us-east-1');
  await createTables(client, tables);
  return client;
}

beforeEach(() => {
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await database.close();
});

const get = (client: DynamoDBClient) =>
  client.send(new GetItemCommand({ TableName: tenants, Key: key, ConsistentRead: true }));

describe('the embedded DynamoDB', () => {
  test('is asked for a table that was created until it is active', async () => {
    const us = await start();
    let [asked, creating] = [0, 2];
    us.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const reply = await next(args);
          if (commandName !== 'DescribeTableCommand') return reply;
          asked += 1;
          const isCreating = creating > 0;
          creating -= 1;
          const output: DescribeTableCommandOutput = Object(reply.output);
          const Table = {
            ...output.Table,
            ...(isCreating && { TableStatus: 'CREATING' as const }),
          };
          return { ...reply, output: { ...output, Table } };
        },
      { step: 'initialize' },
    );
    await createTables(us, tables.slice(0, 1));
    expect(asked).toBe(3);
  });

  test('keeps regions apart', async () => {
    const us = await start();
    const de = clientIn('eu-central-1');
    await createTables(de, tables);
    await us.send(new PutItemCommand({ TableName: tenants, Item: key }));
    expect((await get(us)).Item).toEqual(key);
    expect((await get(de)).Item).toBeUndefined();
  });

  test('refuses a region that it does not have', async () => {
    await start();
    await expect(get(clientIn('mars-north-1'))).rejects.toThrow(
      'this host has no region "mars-north-1"',
    );
  });

  test('keeps its data on disk, and gives the store free when it is closed', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'embedded-dynamodb-'));
    try {
      const first = await start({ dataDir });
      await first.send(new PutItemCommand({ TableName: tenants, Item: key }));
      await database.close();
      const second = await start({ dataDir });
      expect((await get(second)).Item).toEqual(key);
    } finally {
      await database.close();
      await rm(dataDir, { recursive: true });
    }
  });

  test('ends what is under way before it closes', async () => {
    const underWay = Promise.withResolvers<void>();
    const client = await start({
      inject({ operation }) {
        if (operation !== 'PutItem') return undefined;
        underWay.resolve();
        return { delayMs: 50 };
      },
    });
    const put = client.send(new PutItemCommand({ TableName: tenants, Item: key }));
    await underWay.promise;
    await database.close();
    expect((await put).$metadata.httpStatusCode).toBe(200);
  });

  test('refuses reads that could miss what was just written', async () => {
    const client = await start();
    const query = {
      TableName: migrations,
      KeyConditionExpression: 'tenant = :tenant',
      ExpressionAttributeValues: { ':tenant': { S: 'tenant-1' } },
    };
    const reads = [
      client.send(new GetItemCommand({ TableName: tenants, Key: key })),
      client.send(new QueryCommand(query)),
      client.send(new QueryCommand({ ...query, ConsistentRead: false })),
      client.send(new ScanCommand({ TableName: tenants })),
      client.send(new BatchGetItemCommand({ RequestItems: { [tenants]: { Keys: [key] } } })),
    ];
    for (const answer of await Promise.allSettled(reads)) {
      expect(answer).toMatchObject({ status: 'rejected', reason: { name: 'ValidationException' } });
    }
    await client.send(new QueryCommand({ ...query, ConsistentRead: true }));
  });

  test('allows a query on an index, and what its host has listed', async () => {
    const client = await start({
      strict: { allowEventualReads: ({ operation }) => operation === 'Scan' },
    });
    await client.send(new PutItemCommand({ TableName: migrations, Item: record }));
    const open = await client.send(
      new QueryCommand({
        TableName: migrations,
        IndexName: 'open',
        KeyConditionExpression: 'openIn = :realm',
        ExpressionAttributeValues: { ':realm': { S: 'us' } },
      }),
    );
    expect(open.Items).toEqual([record]);
    expect((await client.send(new ScanCommand({ TableName: migrations }))).Items).toEqual([record]);
  });

  test('leaves writes unprocessed, and fails, on request', async () => {
    const faults = [
      { unprocessed: 1 },
      { error: 'ThrottlingException' },
      { error: 'InternalServerError' },
      { lost: true as const },
    ];
    const client = await start({
      inject: ({ operation }) => (operation === 'BatchWriteItem' ? faults.shift() : undefined),
    });
    const writes = ['tenant-1', 'tenant-2'].map((tenant) => ({
      PutRequest: { Item: { tenant: { S: tenant } } },
    }));
    const write = () =>
      client.send(new BatchWriteItemCommand({ RequestItems: { [tenants]: writes } }));
    expect((await write()).UnprocessedItems).toEqual({ [tenants]: [writes[1]] });
    await expect(write()).rejects.toMatchObject({ name: 'ThrottlingException' });
    await expect(write()).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    await expect(write()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('creates its tables once', async () => {
    const client = await start();
    await client.send(new PutItemCommand({ TableName: tenants, Item: key }));
    await createTables(client, tables);
    expect((await get(client)).Item).toEqual(key);
  });
});

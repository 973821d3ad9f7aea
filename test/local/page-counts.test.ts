/** Counting items cheaply: only what was written to is counted again. */

import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { DeleteCommand, DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import type { DynamoDbPart } from '../../lambdas/domain/datasets/dataset.ts';
import type { Discovery } from '../../lambdas/domain/datasets/discovery.ts';
import { tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import type { S3Part } from '../../lambdas/domain/datasets/s3-part.ts';
import {
  type DynamoDbCall,
  startEmbeddedDynamoDb,
} from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import { itemCounts, seldom, writes } from '../../lib/local/page/counts.ts';
import { startEmbeddedS3 } from '../../lib/local/s3/embedded-s3.ts';
import { createTables, tableDefinitions } from '../../lib/local/tables.ts';
import { residency } from '../../residency.config.ts';

const call = (operation: string, input: Record<string, unknown>) => ({
  region: 'us-east-1',
  operation,
  input,
});

describe('what was written to', () => {
  test('is a table and a partition, by put, delete and batch', () => {
    const written = writes(true);
    expect(written.has('exports')).toBe(false);
    written.hear(
      call('PutItem', { TableName: 'exports', Item: { tenant: { S: 'acme#01' }, n: { N: '1' } } }),
    );
    written.hear(call('DeleteItem', { TableName: 'exports', Key: { tenant: { S: 'acme#02' } } }));
    const requests = [
      { PutRequest: { Item: { tenant: { S: 'acme#03' } } } },
      { DeleteRequest: { Key: { tenant: { S: 'acme#04' } } } },
    ];
    written.hear(call('BatchWriteItem', { RequestItems: { exports: requests } }));
    const partitions = ['acme#01', 'acme#02', 'acme#03', 'acme#04', 'acme#05'];
    expect(partitions.map((partition) => written.has('exports', partition))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    expect(written.has('exports')).toBe(true);
    expect(written.has('templates', 'acme#01')).toBe(false);
  });

  test('is news until it is taken note of, and reading is none', () => {
    const written = writes(false);
    expect(written.has('exports', 'acme')).toBe(true);
    written.take('exports', 'acme');
    written.hear(call('Query', { TableName: 'exports', Item: { tenant: { S: 'acme' } } }));
    expect(written.has('exports', 'acme')).toBe(false);
    written.forget();
    expect(written.has('exports', 'acme')).toBe(true);
  });
});

describe('a count', () => {
  const [part] = tablesOf(residency.parts);
  if (!part) throw new Error('the sample app has no part');
  const holding = (send: () => Promise<unknown>) => ({
    client: Object.assign(Object.create(DynamoDBDocumentClient.prototype), { send }),
    table: 'templates',
    part,
    values: { tenant: 'acme' },
  });

  test('is stale from the next write until it is done again, also where counting fails', async () => {
    const written = writes(true);
    const counts = itemCounts(written);
    const answered = holding(async () => ({ Count: 3 }));
    const away = holding(() => Promise.reject(new Error('away')));
    const put = call('PutItem', { TableName: 'templates', Item: { tenant: { S: 'acme' } } });
    expect([counts.of(answered), counts.isStale(answered)]).toEqual([0, false]);
    written.hear(put);
    await counts.recount([answered], 1_000);
    expect([counts.of(answered), counts.isStale(answered)]).toEqual([3, false]);
    written.hear(put);
    expect([counts.of(answered), counts.isStale(answered)]).toEqual([3, true]);
    await expect(counts.recount([away], 1_000)).rejects.toThrow('away');
    expect(counts.isStale(answered)).toBe(true);
    await counts.recount([answered], 1_000);
    expect(counts.isStale(answered)).toBe(false);
  });
});

describe('work that is done seldom', () => {
  test('is done at once for a caller that waits for it', async () => {
    let begun = 0;
    const work = seldom(async () => {
      begun += 1;
    });
    await work();
    await work();
    await work('now');
    expect(begun).toBe(2);
  });

  test('is not begun again while it runs, nor before a pause of four times as long', async () => {
    let begun = 0;
    const work = seldom(async () => {
      begun += 1;
      await pause(60);
    }, 50);
    await Promise.all([work(), work(), work()]);
    const ended = performance.now();
    expect(begun).toBe(1);
    while (begun === 1) {
      await work();
      await pause(5);
    }
    expect(performance.now() - ended).toBeGreaterThan(200);
  });
});

describe('a table that is scanned', () => {
  test.each<[string, Discovery, string]>([
    ['an attribute', { by: 'scan', attribute: 'owner', largestTableGB: 1 }, 'PAGE'],
    ['its keys', { by: 'scan', prefix: '{tenant}/', largestTableGB: 1 }, 'acme/PAGE'],
  ])(
    'is counted by %s, and again after a deletion that names no tenant',
    async (_, discover, id) => {
      const pages: DynamoDbPart = {
        kind: 'dynamodb',
        name: 'pages',
        policy: 'move',
        partitionKey: 'id',
        discover,
      };
      const written = writes(true);
      await using database = await inMemory({ parts: [pages], onAnswered: written.hear });
      const { client } = database;
      const holding = {
        client,
        table: 'test-local-us-pages',
        part: pages,
        values: { tenant: 'acme' },
      };
      const counts = itemCounts(written);
      expect(counts.of(holding)).toBe(0);
      const put = (key: string, owner: string) =>
        client.send(new PutCommand({ TableName: holding.table, Item: { id: key, owner } }));
      await put(`${id}/1`, 'acme');
      await put(`${id}/2`, 'acme');
      await put('acme-1/1', 'acme-1');
      expect([counts.of(holding), counts.isFresh(holding)]).toEqual([undefined, false]);
      await counts.recount([holding], 10_000);
      expect([counts.of(holding), counts.isFresh(holding)]).toEqual([2, true]);
      await client.send(new DeleteCommand({ TableName: holding.table, Key: { id: `${id}/1` } }));
      expect([counts.of(holding), counts.isStale(holding)]).toEqual([2, true]);
      await counts.recount([holding], 10_000);
      expect([counts.of(holding), counts.isStale(holding)]).toEqual([1, false]);
      written.forget();
      expect(counts.isStale(holding)).toBe(true);
    },
  );
});

/** A realm's tables in memory. */
async function inMemory({
  parts,
  onAnswered,
}: {
  readonly parts: readonly DynamoDbPart[];
  readonly onAnswered: (call: DynamoDbCall) => void;
}) {
  const database = await startEmbeddedDynamoDb({ port: 0, regions: ['us-east-1'], onAnswered });
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({
      endpoint: database.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    }),
  );
  await createTables(client, tableDefinitions({ name: 'test', parts }, 'local', 'us'));
  return {
    client,
    async [Symbol.asyncDispose]() {
      client.destroy();
      await database.close();
    },
  };
}

describe('a bucket', () => {
  test('is counted by objects and bytes, and again after a deletion', async () => {
    const part: S3Part = {
      kind: 's3',
      name: 'documents',
      policy: 'move',
      prefix: '{tenant}/',
      versions: 'current',
    };
    const written = writes(true);
    const s3 = await startEmbeddedS3({
      port: 0,
      regions: ['us-east-1'],
      onAnswered: written.hearOfObject,
    });
    const objects = new S3Client({
      endpoint: s3.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      forcePathStyle: true,
    });
    const Bucket = 'documents';
    await objects.send(new CreateBucketCommand({ Bucket }));
    const holding = { objects, bucket: Bucket, part, values: { tenant: 'acme' } };
    const counts = itemCounts(written);
    const said = () => [counts.of(holding), counts.bytesOf(holding), counts.isFresh(holding)];
    expect(said()).toEqual([0, 0, true]);
    const put = (Key: string, Body: string) =>
      objects.send(new PutObjectCommand({ Bucket, Key, Body }));
    await put('acme/a', 'four');
    await put('acme/b', 'seven..');
    await put('acme-10/a', 'of another tenant');
    expect(said()).toEqual([undefined, undefined, false]);
    await counts.recount([holding], 10_000);
    expect(said()).toEqual([2, 11, true]);
    await objects.send(new DeleteObjectCommand({ Bucket, Key: 'acme/b' }));
    expect(said()).toEqual([2, 11, false]);
    await counts.recount([holding], 10_000);
    expect(said()).toEqual([1, 4, true]);
    objects.destroy();
    await s3.close();
  });
});

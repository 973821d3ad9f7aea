/**
 * How the story reads objects of a tenant: it notices every difference between two buckets, and all
 * that S3 keeps beside the current objects.
 */
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { S3Part } from '../../lambdas/domain/datasets/s3-part.ts';
import { type EmbeddedS3, startEmbeddedS3 } from '../../lib/local/s3/embedded-s3.ts';
import type { Possessions } from '../../lib/local/story/cast.ts';
import { claimsOfData } from '../../lib/local/story/claims.ts';
import { leftUnder, objectsUnder } from '../../lib/object-snapshots.ts';
import { differences } from '../../lib/snapshots.ts';

let s3: EmbeddedS3;
let client: S3Client;
let buckets = 0;

beforeAll(async () => {
  s3 = await startEmbeddedS3({ port: 0, regions: ['us-east-1'] });
  client = new S3Client({
    endpoint: s3.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
  });
});
afterAll(async () => {
  client.destroy();
  await s3.close();
});

async function newBucket(): Promise<string> {
  buckets += 1;
  const Bucket = `bucket-${buckets}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}

const AS_IT_WAS: Omit<PutObjectCommandInput, 'Bucket' | 'Key'> = {
  Body: 'a document',
  ContentType: 'text/plain',
  CacheControl: 'no-store',
  Metadata: { pages: '1' },
  Tagging: 'kind=report',
  StorageClass: 'STANDARD_IA',
};
const put = (Bucket: string, Key: string, more: Partial<PutObjectCommandInput> = {}) =>
  client.send(new PutObjectCommand({ Bucket, Key, ...AS_IT_WAS, ...more }));

describe('a copy of an object', () => {
  test.each([
    [0, 'the same', {}],
    [1, 'other bytes of the same length', { Body: 'A document' }],
    [1, 'another content type', { ContentType: 'text/html' }],
    [1, 'another header', { CacheControl: 'max-age=60' }],
    [1, 'other metadata', { Metadata: { pages: '2' } }],
    [1, 'other tags', { Tagging: 'kind=minutes' }],
    [1, 'no tags', { Tagging: '' }],
    [1, 'another storage class', { StorageClass: 'STANDARD' as const }],
    [1, 'another checksum', { ChecksumAlgorithm: 'SHA256' as const }],
  ])('has %d differences where it is %s', async (count, _, more) => {
    const [before, after] = [await newBucket(), await newBucket()];
    await put(before, 'acme/ü +%');
    await put(before, 'acme-10/a');
    await put(after, 'acme/ü +%', more);
    const read = (bucket: string) => objectsUnder(client, bucket, ['acme/']);
    const [one, other] = [await read(before), await read(after)];
    expect([...one.keys()]).toEqual(['acme/ü +%']);
    expect(differences(one, other)).toBe(count);
  });
});

test('versions, delete markers and open uploads under a prefix are counted', async () => {
  const Bucket = await newBucket();
  const VersioningConfiguration = { Status: 'Enabled' as const };
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  await put(Bucket, 'acme/a');
  await put(Bucket, 'acme/a');
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'acme/a' }));
  await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'acme/b' }));
  await put(Bucket, 'acme-10/a');
  expect(await objectsUnder(client, Bucket, ['acme/'])).toEqual(new Map());
  expect(await leftUnder(client, Bucket, ['acme/'])).toEqual({
    versions: 2,
    markers: 1,
    uploads: 1,
  });
  expect(await leftUnder(client, Bucket, ['none/'])).toEqual({
    versions: 0,
    markers: 0,
    uploads: 0,
  });
});

describe('what the story claims of a move', () => {
  const part: S3Part = {
    kind: 's3',
    name: 'documents',
    policy: 'move',
    prefix: '{tenant}/',
    versions: 'current',
  };
  const EMPTY = { versions: 0, markers: 0, uploads: 0 };
  const possessing = (objects: readonly [string, string][], left = EMPTY): Possessions => ({
    tenant: new Map([[part, new Map(objects)]]),
    neighbour: new Map([[part, new Map()]]),
    left,
  });
  const before = possessing([['acme/a', 'hash']], { versions: 2, markers: 1, uploads: 1 });
  const how = { from: 'us', to: 'de', items: 1, rollback: false, door: 'connect' } as const;
  const wrong = (source: Possessions, target: Possessions) =>
    claimsOfData(before, { source, target }, how)
      .filter(([holds]) => !holds)
      .map(([, text]) => text);

  test('holds where each object arrived and nothing is left', () => {
    expect(wrong(possessing([]), possessing([['acme/a', 'hash']]))).toEqual([]);
  });

  test('is false where an object is another', () => {
    expect(wrong(possessing([]), possessing([['acme/a', 'other']]))).toEqual([
      'all 1 objects arrived in de, unchanged in bytes, headers, metadata and tags, compared one by one',
    ]);
  });

  test('is false where only an older version, a marker or an upload is left', () => {
    const left = { versions: 1, markers: 0, uploads: 1 };
    expect(wrong(possessing([], left), possessing([['acme/a', 'hash']]))).toEqual([
      "the tenant's prefix is not empty in us: it has 1 version, 0 delete markers and 1 open upload",
    ]);
  });
});

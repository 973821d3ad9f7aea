/**
 * The embedded S3 as a host: regions, presigned URLs, what it refuses, faults, and what it keeps.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketAclCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutObjectCommand,
  RestoreObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, test } from 'vitest';
import type { EmbeddedS3Options } from '../../../lib/local/s3/embedded-s3.ts';
import { DE, type S3World, s3World, US } from '../../support/s3-client.ts';

async function inWorld(
  options: Partial<EmbeddedS3Options>,
  work: (world: S3World) => Promise<void>,
): Promise<void> {
  const world = await s3World(options);
  try {
    await work(world);
  } finally {
    await world.close();
  }
}
const refusal = (name: string) => expect.objectContaining({ name });

describe('a bucket', () => {
  test('is in one region, and a request that is signed for another is sent there', () =>
    inWorld({}, async (world) => {
      const Bucket = await world.newBucket(DE);
      const put = new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' });
      await expect(world.client(US).send(put)).rejects.toThrow(refusal('PermanentRedirect'));
      await world.client(DE).send(put);
      await expect(world.client('sa-east-1').send(put)).rejects.toThrow(
        /no region "sa-east-1", only us-east-1, eu-central-1/,
      );
      const following = world.client(US, { followRegionRedirects: true });
      await following.send(new HeadObjectCommand({ Bucket, Key: 'a' }));
    }));

  test('with a lock on its objects keeps them, and says so', () =>
    inWorld({}, async (world) => {
      const s3 = world.client();
      const Bucket = await world.newBucket(US, { input: { ObjectLockEnabledForBucket: true } });
      const { VersionId } = await s3.send(
        new PutObjectCommand({ Bucket, Key: 'a', Body: 'x', ObjectLockLegalHoldStatus: 'ON' }),
      );
      const { ObjectLockLegalHoldStatus } = await s3.send(
        new HeadObjectCommand({ Bucket, Key: 'a' }),
      );
      expect(ObjectLockLegalHoldStatus).toBe('ON');
      await expect(
        s3.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId })),
      ).rejects.toThrow(refusal('AccessDenied'));
      const { Errors } = await s3.send(
        new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'a', VersionId }] } }),
      );
      expect(Errors).toMatchObject([{ Key: 'a', VersionId, Code: 'AccessDenied' }]);
    }));
});

describe('a presigned URL', () => {
  test('reads and writes until its life is over, and not without its signature', async () => {
    let late = 0;
    await inWorld({ now: () => Date.now() + late }, async (world) => {
      const s3 = world.client();
      const Bucket = await world.newBucket();
      const to = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'ä b' }), {
        expiresIn: 60,
      });
      expect((await fetch(to, { method: 'PUT', body: 'text' })).status).toBe(200);
      const from = await getSignedUrl(
        s3,
        new GetObjectCommand({
          Bucket,
          Key: 'ä b',
          ResponseContentDisposition: 'attachment; filename="b.txt"',
        }),
        { expiresIn: 60 },
      );
      const answer = await fetch(from);
      expect([await answer.text(), answer.headers.get('content-disposition')]).toEqual([
        'text',
        'attachment; filename="b.txt"',
      ]);
      expect((await fetch(from.replace(/X-Amz-Signature=[^&]+/, ''))).status).toBe(400);
      expect((await fetch(from.split('?')[0] ?? '')).status).toBe(403);
      late = 61_000;
      const over = await fetch(from);
      expect([over.status, await over.text()]).toEqual([
        403,
        expect.stringContaining('Request has expired'),
      ]);
      expect((await fetch(to, { method: 'PUT', body: 'late' })).status).toBe(403);
    });
  });
});

describe('what the host does not do', () => {
  test('is refused by its name', () =>
    inWorld({}, async (world) => {
      const s3 = world.client();
      const Bucket = await world.newBucket();
      const refused = async (sent: Promise<unknown>, operation: string) =>
        expect(sent).rejects.toThrow(
          expect.objectContaining({
            name: 'NotImplemented',
            message: `the local host does not answer ${operation}`,
            $metadata: expect.objectContaining({ httpStatusCode: 501 }),
          }),
        );
      await refused(s3.send(new ListObjectsCommand({ Bucket })), 'ListObjects');
      await refused(s3.send(new GetBucketAclCommand({ Bucket })), 'GetBucketAcl');
      await refused(s3.send(new RestoreObjectCommand({ Bucket, Key: 'a' })), 'RestoreObject');
    }));

  test('an archived object, and one with the key of a customer, is not read', () =>
    inWorld({}, async (world) => {
      const s3 = world.client();
      const Bucket = await world.newBucket();
      await s3.send(
        new PutObjectCommand({ Bucket, Key: 'old', Body: 'x', StorageClass: 'GLACIER' }),
      );
      await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'old' }))).rejects.toThrow(
        refusal('InvalidObjectState'),
      );
      await s3.send(
        new PutObjectCommand({
          Bucket,
          Key: 'own key',
          Body: 'x',
          SSECustomerAlgorithm: 'AES256',
          SSECustomerKey: '0'.repeat(32),
        }),
      );
      await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'own key' }))).rejects.toThrow(
        expect.objectContaining({ $metadata: expect.objectContaining({ httpStatusCode: 400 }) }),
      );
    }));
});

test('a fault is injected into the calls that a test names', async () => {
  let calls = 0;
  await inWorld(
    {
      inject: ({ operation }) => {
        if (operation !== 'PutObject') return undefined;
        calls += 1;
        if (calls === 1) return { error: 'SlowDown' };
        return calls === 2 ? { lost: true } : undefined;
      },
    },
    async (world) => {
      const s3 = world.client();
      const Bucket = await world.newBucket();
      const put = () => s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }));
      await expect(put()).rejects.toThrow(refusal('SlowDown'));
      await expect(put()).rejects.toThrow(expect.objectContaining({ code: 'ECONNRESET' }));
      await s3.send(new HeadObjectCommand({ Bucket, Key: 'a' }));
    },
  );
});

test('a data directory keeps everything that was acknowledged, and nothing that was deleted', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 's3-'));
  const Bucket = `bucket-${randomUUID()}`;
  let UploadId: string | undefined;
  await inWorld({ dataDir }, async (world) => {
    const s3 = world.client();
    await world.newBucket(US, { versioned: true, input: { Bucket } });
    for (const [Key, Body] of ['a', 'b', 'c'].entries())
      await s3.send(
        new PutObjectCommand({
          Bucket,
          Key: `${Key}`,
          Body,
          Metadata: { of: Body },
          Tagging: 't=1',
        }),
      );
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: '0', Body: 'newer' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: '0', VersionId }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: '1' }));
    ({ UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'open' })));
    await s3.send(
      new UploadPartCommand({ Bucket, Key: 'open', UploadId, PartNumber: 1, Body: 'part' }),
    );
  });
  await inWorld({ dataDir }, async (world) => {
    const s3 = world.client();
    const read = await s3.send(new GetObjectCommand({ Bucket, Key: '0' }));
    expect([await read.Body?.transformToString(), read.Metadata, read.TagCount]).toEqual([
      'a',
      { of: 'a' },
      1,
    ]);
    const { Versions, DeleteMarkers } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions?.map(({ Key }) => Key)).toEqual(['0', '1', '2']);
    expect(DeleteMarkers).toMatchObject([{ Key: '1', IsLatest: true }]);
    const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(Uploads).toMatchObject([{ Key: 'open', UploadId }]);
    const { Parts } = await s3.send(new ListPartsCommand({ Bucket, Key: 'open', UploadId }));
    expect(Parts).toMatchObject([{ PartNumber: 1, Size: 4 }]);
  });
  // Three objects and a part: the bytes of the deleted version are gone.
  expect(await readdir(join(dataDir, 'objects', US, 'bodies'))).toHaveLength(4);
});

/** Uploads in parts: how they begin, go on and end, and the checksums of the whole. */
import {
  AbortMultipartUploadCommand,
  type ChecksumAlgorithm,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defined } from '../../../lambdas/domain/defined.ts';
import type { S3World } from '../../support/s3-client.ts';
import { onEveryS3 } from '../../support/second-s3.ts';

const MB = 1024 ** 2;

onEveryS3((start, isOurs) => {
  let world: S3World;
  let s3: S3Client;
  let Bucket: string;
  beforeAll(async () => {
    world = await start();
    s3 = world.client();
    Bucket = await world.newBucket();
  });
  afterAll(() => world?.close());

  async function begin(Key: string, input: Partial<CreateMultipartUploadCommandInput> = {}) {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...input }));
    return { Bucket, Key, UploadId };
  }
  type Open = Awaited<ReturnType<typeof begin>>;
  async function upload(
    open: Open,
    PartNumber: number,
    bytes: number,
    ChecksumAlgorithm?: ChecksumAlgorithm,
  ): Promise<CompletedPart> {
    const Body = Buffer.alloc(bytes, PartNumber);
    const part = { ...open, PartNumber, Body, ...defined({ ChecksumAlgorithm }) };
    const answer = await s3.send(new UploadPartCommand(part));
    return { PartNumber, ETag: answer.ETag };
  }
  const complete = (open: Open, Parts: CompletedPart[]) =>
    s3.send(new CompleteMultipartUploadCommand({ ...open, MultipartUpload: { Parts } }));

  test('an object of 5 MB and a byte is made of parts, with all that was said at the beginning', async () => {
    const said = { ContentType: 'text/x-large', CacheControl: 'no-cache', Metadata: { a: 'b' } };
    const open = await begin('large', { ...said, Tagging: 'a=1' });
    await upload(open, 2, 9);
    const parts = [await upload(open, 1, 5 * MB), await upload(open, 2, 1)];
    const listed = await s3.send(new ListPartsCommand({ ...open, MaxParts: 1 }));
    expect(listed).toMatchObject({ IsTruncated: true, Parts: [{ PartNumber: 1, Size: 5 * MB }] });
    const { ETag } = await complete(open, parts);
    expect(ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'large' }))).toMatchObject({
      ...said,
      ContentLength: 5 * MB + 1,
      ETag,
    });
    const { Body } = await s3.send(
      new GetObjectCommand({ Bucket, Key: 'large', Range: `bytes=${5 * MB - 1}-` }),
    );
    expect([...((await Body?.transformToByteArray()) ?? [])]).toEqual([1, 2]);
    const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'large' }));
    expect(TagSet).toEqual([{ Key: 'a', Value: '1' }]);
    if (isOurs)
      await expect(complete(open, parts)).rejects.toThrow(
        expect.objectContaining({ name: 'NoSuchUpload' }),
      );
  });

  test('parts that are too small, unknown or out of order are refused', async () => {
    const open = await begin('refused');
    const parts = [await upload(open, 1, 5 * MB - 1), await upload(open, 2, 1)];
    await expect(complete(open, parts)).rejects.toThrow(
      expect.objectContaining({ name: 'EntityTooSmall' }),
    );
    await expect(complete(open, [{ PartNumber: 1, ETag: '"00"' }])).rejects.toThrow(
      expect.objectContaining({ name: 'InvalidPart' }),
    );
    await upload(open, 1, 5 * MB);
    if (isOurs) {
      const { Parts = [] } = await s3.send(new ListPartsCommand(open));
      const all = Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
      await expect(complete(open, all.toReversed())).rejects.toThrow(
        expect.objectContaining({ name: 'InvalidPartOrder' }),
      );
    }
    await s3.send(new AbortMultipartUploadCommand(open));
    const { Uploads = [] } = await s3.send(
      new ListMultipartUploadsCommand({ Bucket, Prefix: 'refused' }),
    );
    expect(Uploads).toEqual([]);
    if (isOurs)
      await expect(upload(open, 1, 1)).rejects.toThrow(
        expect.objectContaining({ name: 'NoSuchUpload' }),
      );
  });

  test('parts are copied from ranges of another object', async () => {
    const bytes = Buffer.alloc(5 * MB + 3, 'abc');
    await s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: bytes }));
    const open = await begin('copied');
    const Parts: CompletedPart[] = [];
    for (const [place, range] of [
      `bytes=0-${5 * MB - 1}`,
      `bytes=${5 * MB}-${5 * MB + 2}`,
    ].entries()) {
      const { CopyPartResult } = await s3.send(
        new UploadPartCopyCommand({
          ...open,
          PartNumber: place + 1,
          CopySource: `${Bucket}/source`,
          CopySourceRange: range,
        }),
      );
      Parts.push({ PartNumber: place + 1, ETag: CopyPartResult?.ETag });
    }
    await complete(open, Parts);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'copied' }));
    expect(Buffer.compare((await Body?.transformToByteArray()) ?? Buffer.of(), bytes)).toBe(0);
  });

  test.runIf(isOurs)(
    'the checksum of the whole is one of its bytes, or one of its parts',
    async () => {
      const checksumOf = async (Key: string, input: Partial<CreateMultipartUploadCommandInput>) => {
        const open = await begin(Key, input);
        const named = input.ChecksumAlgorithm;
        await complete(open, [
          await upload(open, 1, 5 * MB, named),
          await upload(open, 2, 1, named),
        ]);
        return s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
      };
      const whole = Buffer.concat([Buffer.alloc(5 * MB, 1), Buffer.alloc(1, 2)]);
      const put = await s3.send(
        new PutObjectCommand({ Bucket, Key: 'put', Body: whole, ChecksumAlgorithm: 'CRC32C' }),
      );
      const full = await checksumOf('full', {
        ChecksumAlgorithm: 'CRC32C',
        ChecksumType: 'FULL_OBJECT',
      });
      expect([full.ChecksumCRC32C, full.ChecksumType]).toEqual([put.ChecksumCRC32C, 'FULL_OBJECT']);
      const composite = await checksumOf('composite', { ChecksumAlgorithm: 'SHA256' });
      expect(composite.ChecksumType).toBe('COMPOSITE');
      expect(composite.ChecksumSHA256).toMatch(/=-2$/);
      const silent = await checksumOf('silent', {});
      expect([typeof silent.ChecksumCRC64NVME, silent.ChecksumType]).toEqual([
        'string',
        'FULL_OBJECT',
      ]);
      const { ObjectParts } = await s3.send(
        new GetObjectAttributesCommand({
          Bucket,
          Key: 'composite',
          ObjectAttributes: ['ObjectParts'],
          MaxParts: 1,
        }),
      );
      expect(ObjectParts).toMatchObject({
        TotalPartsCount: 2,
        IsTruncated: true,
        Parts: [{ PartNumber: 1, Size: 5 * MB }],
      });
      await expect(
        begin('mixed', { ChecksumAlgorithm: 'SHA256', ChecksumType: 'FULL_OBJECT' }),
      ).rejects.toThrow(/cannot be used with the SHA256 checksum algorithm/);
    },
  );
});

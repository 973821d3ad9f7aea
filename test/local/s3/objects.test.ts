/** Objects: their bytes, all that is kept beside them, conditions, copies and checksums. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DE, type S3World, US } from '../../support/s3-client.ts';
import { onEveryS3 } from '../../support/second-s3.ts';

onEveryS3((start, isOurs) => {
  let world: S3World;
  let s3: S3Client;
  let bucket: string;
  beforeAll(async () => {
    world = await start();
    s3 = world.client();
    bucket = await world.newBucket();
  });
  afterAll(() => world?.close());

  const put = (Key: string, input: Partial<PutObjectCommandInput> = {}) =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'text', ...input }));
  const head = (Key: string, Bucket = bucket, client = s3) =>
    client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
  async function textOf(Key: string, Range?: string): Promise<string | undefined> {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key, Range }));
    return Body?.transformToString();
  }

  const HEADERS = {
    ContentType: 'text/plain; charset=utf-8',
    CacheControl: 'max-age=60',
    ContentDisposition: 'attachment; filename="a.txt"',
    ContentEncoding: 'identity',
    ContentLanguage: 'de',
    Metadata: { author: 'someone', 'with-dash': 'a b' },
  };

  test('an object comes back with its bytes, headers and metadata', async () => {
    const Expires = new Date('2030-01-01T00:00:00Z');
    await put('whole', {
      ...HEADERS,
      Expires,
      StorageClass: 'STANDARD_IA',
      Tagging: 'a=1&b=x%20y',
    });
    expect(await textOf('whole')).toBe('text');
    expect(await head('whole')).toMatchObject({
      ...HEADERS,
      ExpiresString: 'Tue, 01 Jan 2030 00:00:00 GMT',
      StorageClass: 'STANDARD_IA',
      ContentLength: 4,
      ETag: `"${createHash('md5').update('text').digest('hex')}"`,
    });
  });

  test.each([
    'a b',
    'a+b',
    'a%2Fb',
    '🦉/ü',
    'a//b/',
    'x/../y/./z',
    `long${'x'.repeat(1_020)}`,
    "!'()*",
  ])('a key is kept as it is: %s', async (key) => {
    await put(key, { Body: key });
    expect(await textOf(key)).toBe(key);
  });

  test('a part of an object is read by its range', async () => {
    await put('range', { Body: '0123456789' });
    expect(await textOf('range', 'bytes=2-4')).toBe('234');
    expect(await textOf('range', 'bytes=7-')).toBe('789');
    expect(await textOf('range', 'bytes=-3')).toBe('789');
    await expect(textOf('range', 'bytes=10-12')).rejects.toThrow(
      expect.objectContaining({ name: 'InvalidRange' }),
    );
  });

  test('what is not there is missing, and deleting it is no error', async () => {
    await expect(textOf('none')).rejects.toThrow(expect.objectContaining({ name: 'NoSuchKey' }));
    await expect(head('none')).rejects.toThrow(expect.objectContaining({ name: 'NotFound' }));
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'none' }));
  });

  test('a write with a condition is made only where the condition holds', async () => {
    const { ETag } = await put('condition');
    await expect(put('condition', { IfNoneMatch: '*' })).rejects.toThrow(
      expect.objectContaining({ name: 'PreconditionFailed' }),
    );
    await expect(put('condition', { IfMatch: '"00"' })).rejects.toThrow(
      expect.objectContaining({ name: 'PreconditionFailed' }),
    );
    await put('condition', { IfMatch: ETag, Body: 'new' });
    expect(await textOf('condition')).toBe('new');
    const both = await Promise.allSettled(
      ['a', 'b'].map((Body) => put('race', { IfNoneMatch: '*', Body })),
    );
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('a read with a condition tells whether the caller has it already', async () => {
    const { ETag } = await put('read');
    const read = (input: object) =>
      s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'read', ...input }));
    await expect(read({ IfNoneMatch: ETag })).rejects.toThrow(
      expect.objectContaining({ $metadata: expect.objectContaining({ httpStatusCode: 304 }) }),
    );
    await expect(read({ IfMatch: '"00"' })).rejects.toThrow(
      expect.objectContaining({ name: 'PreconditionFailed' }),
    );
    await (await read({ IfMatch: ETag })).Body?.transformToString();
  });

  test('tags are read, replaced and removed without touching the object', async () => {
    await put('tags', { Tagging: 'a=1' });
    const tags = async () =>
      (await s3.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: 'tags' }))).TagSet;
    expect(await tags()).toEqual([{ Key: 'a', Value: '1' }]);
    const TagSet = [{ Key: 'b c', Value: 'v+w x' }];
    await s3.send(
      new PutObjectTaggingCommand({ Bucket: bucket, Key: 'tags', Tagging: { TagSet } }),
    );
    expect(await tags()).toEqual(TagSet);
    await s3.send(new DeleteObjectTaggingCommand({ Bucket: bucket, Key: 'tags' }));
    expect(await tags()).toEqual([]);
    expect(await textOf('tags')).toBe('text');
  });

  describe('a copy', () => {
    test('takes headers, metadata and tags along, and goes to another region', async () => {
      await put('ö & co/source', { ...HEADERS, Tagging: 'a=1' });
      const target = await world.newBucket(DE);
      const inDe = world.client(DE);
      await inDe.send(
        new CopyObjectCommand({
          Bucket: target,
          Key: 'copy',
          CopySource: `${bucket}/${encodeURIComponent('ö & co/source').replaceAll('%2F', '/')}`,
        }),
      );
      expect(await head('copy', target, inDe)).toMatchObject({ ...HEADERS, ContentLength: 4 });
      const { TagSet } = await inDe.send(
        new GetObjectTaggingCommand({ Bucket: target, Key: 'copy' }),
      );
      expect(TagSet).toEqual([{ Key: 'a', Value: '1' }]);
    });

    test('takes what the request says instead where a directive says so', async () => {
      await put('replaced', { ...HEADERS, Tagging: 'a=1' });
      await s3.send(
        new CopyObjectCommand({
          Bucket: bucket,
          Key: 'replaced',
          CopySource: `${bucket}/replaced`,
          MetadataDirective: 'REPLACE',
          ContentType: 'text/css',
          Metadata: { other: '1' },
          TaggingDirective: 'REPLACE',
          Tagging: 'c=3',
        }),
      );
      const found = await head('replaced');
      expect([found.ContentType, found.Metadata, found.CacheControl]).toEqual([
        'text/css',
        { other: '1' },
        undefined,
      ]);
      const { TagSet } = await s3.send(
        new GetObjectTaggingCommand({ Bucket: bucket, Key: 'replaced' }),
      );
      expect(TagSet).toEqual([{ Key: 'c', Value: '3' }]);
    });

    // moto 5.2 takes any condition on the source of a copy for fulfilled.
    test.runIf(isOurs)(
      'onto itself has to change something, and a condition on the source has to hold',
      async () => {
        const { ETag } = await put('itself');
        const CopySource = `${bucket}/itself`;
        const copy = (Key: string, input = {}) =>
          s3.send(new CopyObjectCommand({ Bucket: bucket, Key, CopySource, ...input }));
        await expect(copy('itself')).rejects.toThrow(
          expect.objectContaining({ name: 'InvalidRequest' }),
        );
        await expect(copy('other', { CopySourceIfMatch: '"00"' })).rejects.toThrow(
          expect.objectContaining({ name: 'PreconditionFailed' }),
        );
        await copy('other', { CopySourceIfMatch: ETag });
      },
    );
  });

  test.runIf(isOurs)('a copy beyond the limit is refused', async () => {
    const small = await start({ limits: { copyBytes: 10 } });
    try {
      const client = small.client();
      const Bucket = await small.newBucket();
      await client.send(new PutObjectCommand({ Bucket, Key: 'large', Body: '12345678901' }));
      await expect(
        client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/large` })),
      ).rejects.toThrow(/larger than the maximum allowable size for a copy source: 10/);
    } finally {
      await small.close();
    }
  });

  describe.runIf(isOurs)('a checksum', () => {
    test.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
      '(%s) is kept, and a copy keeps its algorithm',
      async (algorithm) => {
        await put(algorithm, { ChecksumAlgorithm: algorithm, Body: 'x'.repeat(1_000) });
        const kept = await head(algorithm);
        const value = kept[`Checksum${algorithm}`];
        expect([typeof value, kept.ChecksumType]).toEqual(['string', 'FULL_OBJECT']);
        const copied = await s3.send(
          new CopyObjectCommand({
            Bucket: bucket,
            Key: `${algorithm} copy`,
            CopySource: `${bucket}/${algorithm}`,
          }),
        );
        expect(copied.CopyObjectResult?.[`Checksum${algorithm}`]).toBe(value);
        // The SDK checks the bytes against it.
        expect(await textOf(algorithm)).toHaveLength(1_000);
      },
    );

    test('is checked, in a header and in the trailer of a stream', async () => {
      await expect(put('wrong', { ChecksumCRC32: 'AAAAAA==' })).rejects.toThrow(
        expect.objectContaining({ name: 'BadDigest' }),
      );
      await expect(put('wrong', { ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' })).rejects.toThrow(
        expect.objectContaining({ name: 'BadDigest' }),
      );
      const Body = Readable.from([Buffer.alloc(100_000, 'a'), Buffer.from('end')]);
      await put('stream', { Body, ContentLength: 100_003, ChecksumAlgorithm: 'CRC32C' });
      const { ChecksumCRC32C, ContentLength, ContentEncoding } = await head('stream');
      expect([typeof ChecksumCRC32C, ContentLength, ContentEncoding]).toEqual([
        'string',
        100_003,
        undefined,
      ]);
      expect((await textOf('stream'))?.endsWith('aaend')).toBe(true);
      await expect(textOf('wrong')).rejects.toThrow();
    });

    test('is CRC64NVME where the writer names none, and none in a world before 2024', async () => {
      const silent = world.client(US, { requestChecksumCalculation: 'WHEN_REQUIRED' });
      await silent.send(new PutObjectCommand({ Bucket: bucket, Key: 'silent', Body: 'text' }));
      expect((await head('silent')).ChecksumCRC64NVME).toBeTypeOf('string');
      const old = await start({ checksumByDefault: false });
      try {
        const client = old.client(US, { requestChecksumCalculation: 'WHEN_REQUIRED' });
        const Bucket = await old.newBucket();
        await client.send(new PutObjectCommand({ Bucket, Key: 'old', Body: 'text' }));
        expect((await head('old', Bucket, client)).ChecksumType).toBeUndefined();
      } finally {
        await old.close();
      }
    });
  });
});

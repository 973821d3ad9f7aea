/** Listings: the order of keys, tokens and markers, common prefixes, versions and open uploads. */
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { S3World } from '../../support/s3-client.ts';
import { onEveryS3 } from '../../support/second-s3.ts';

onEveryS3((start, isOurs) => {
  let world: S3World;
  let s3: S3Client;
  beforeAll(async () => {
    world = await start();
    s3 = world.client();
  });
  afterAll(() => world?.close());

  async function bucketWith(...keys: readonly string[]): Promise<string> {
    const Bucket = await world.newBucket();
    for (const Key of keys)
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: new Uint8Array() }));
    return Bucket;
  }
  const said = (key: string | undefined) => decodeURIComponent((key ?? '').replaceAll('+', ' '));

  async function pagesOf(input: ListObjectsV2CommandInput): Promise<readonly string[][]> {
    const pages: string[][] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ ...input, ContinuationToken, EncodingType: 'url' }),
      );
      pages.push([
        ...(page.Contents ?? []).map(({ Key }) => said(Key)),
        ...(page.CommonPrefixes ?? []).map(({ Prefix }) => `${said(Prefix)}…`),
      ]);
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    return pages;
  }

  const KEYS = ['A', 'a', 'a b', 'a+b', 'a//b', 'b&<x>', 'ä', '～', '🦉', '🦉🦉', '\u{10FFFF}'];

  test('keys come in the order of their UTF-8 bytes, page by page, each once', async () => {
    const Bucket = await bucketWith(...KEYS.toReversed());
    const sorted = KEYS.toSorted((one, other) =>
      Buffer.compare(Buffer.from(one), Buffer.from(other)),
    );
    expect((await pagesOf({ Bucket })).flat()).toEqual(sorted);
    const pages = await pagesOf({ Bucket, MaxKeys: 3 });
    expect(pages.map(({ length }) => length)).toEqual([3, 3, 3, 2]);
    expect(pages.flat()).toEqual(sorted);
    for (const [place, StartAfter] of sorted.entries())
      expect((await pagesOf({ Bucket, StartAfter, MaxKeys: 2 })).flat()).toEqual(
        sorted.slice(place + 1),
      );
  });

  test('a prefix is not the prefix of a neighbour, and starts may lie before or behind it', async () => {
    const Bucket = await bucketWith('acme-10/x', 'acme/a', 'acme/b', 'acme0', 'acm');
    expect(await pagesOf({ Bucket, Prefix: 'acme/' })).toEqual([['acme/a', 'acme/b']]);
    expect(await pagesOf({ Bucket, Prefix: 'acme/', StartAfter: 'a' })).toEqual([
      ['acme/a', 'acme/b'],
    ]);
    expect(await pagesOf({ Bucket, Prefix: 'acme/', StartAfter: 'acme/a/' })).toEqual([['acme/b']]);
    expect(await pagesOf({ Bucket, Prefix: 'acme/', StartAfter: 'b' })).toEqual([[]]);
  });

  test('a delimiter gathers keys into common prefixes, which count as one each', async () => {
    const Bucket = await bucketWith('a/1', 'a/2', 'b', 'c/1/x', 'c/2', 'd');
    expect((await pagesOf({ Bucket, Delimiter: '/' })).flat().sort()).toEqual([
      'a/…',
      'b',
      'c/…',
      'd',
    ]);
    const pages = await pagesOf({ Bucket, Delimiter: '/', MaxKeys: 2 });
    expect(pages.map((page) => page.toSorted())).toEqual([
      ['a/…', 'b'],
      ['c/…', 'd'],
    ]);
    expect(await pagesOf({ Bucket, Delimiter: '/', Prefix: 'c/' })).toEqual([['c/2', 'c/1/…']]);
  });

  test.runIf(isOurs)('keys that XML cannot carry are listed by the encoding type', async () => {
    const Bucket = await bucketWith('a\u0001\r\nb', 'c\u0000');
    expect(await pagesOf({ Bucket })).toEqual([['a\u0001\r\nb', 'c\u0000']]);
  });

  describe('versions', () => {
    const putTimes = async (Bucket: string, Key: string, times: number) => {
      const ids: (string | undefined)[] = [];
      for (let time = 0; time < times; time += 1)
        ids.push((await s3.send(new PutObjectCommand({ Bucket, Key, Body: `${time}` }))).VersionId);
      return ids;
    };
    async function versionsOf(Bucket: string, MaxKeys?: number, Prefix?: string) {
      const found: { key: string; id: string; isLatest: boolean; isMarker: boolean }[] = [];
      let KeyMarker: string | undefined;
      let VersionIdMarker: string | undefined;
      do {
        const page = await s3.send(
          new ListObjectVersionsCommand({ Bucket, MaxKeys, KeyMarker, VersionIdMarker, Prefix }),
        );
        for (const [isMarker, list] of [
          [false, page.Versions ?? []],
          [true, page.DeleteMarkers ?? []],
        ] as const)
          for (const { Key = '', VersionId = '', IsLatest = false } of list)
            found.push({ key: Key, id: VersionId, isLatest: IsLatest, isMarker });
        KeyMarker = page.NextKeyMarker;
        VersionIdMarker = page.NextVersionIdMarker;
        if (!page.IsTruncated) break;
      } while (KeyMarker !== undefined);
      return found;
    }

    test('of a bucket that never had any are called null', async () => {
      const Bucket = await bucketWith('a');
      await putTimes(Bucket, 'a', 2);
      expect(await versionsOf(Bucket)).toEqual([
        { key: 'a', id: 'null', isLatest: true, isMarker: false },
      ]);
    });

    test('are all kept and listed, the newest first, with markers of deletions', async () => {
      const Bucket = await world.newBucket(undefined, { versioned: true });
      const ids = await putTimes(Bucket, 'a', 3);
      await putTimes(Bucket, 'b', 1);
      const { VersionId: marker, DeleteMarker } = await s3.send(
        new DeleteObjectCommand({ Bucket, Key: 'a' }),
      );
      expect(DeleteMarker).toBe(true);
      await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'a' }))).rejects.toThrow(
        expect.objectContaining({ name: 'NoSuchKey' }),
      );
      const old = await s3.send(new GetObjectCommand({ Bucket, Key: 'a', VersionId: ids[0] }));
      expect(await old.Body?.transformToString()).toBe('0');
      expect(await pagesOf({ Bucket })).toEqual([['b']]);
      const all = await versionsOf(Bucket);
      expect(
        all.filter(({ key, isMarker }) => key === 'a' && !isMarker).map(({ id }) => id),
      ).toEqual(ids.toReversed());
      expect(all.find(({ isMarker }) => isMarker)).toEqual({
        key: 'a',
        id: marker,
        isLatest: true,
        isMarker: true,
      });
      if (isOurs)
        for (const most of [1, 2, 3, 4])
          expect(new Set((await versionsOf(Bucket, most)).map(({ id }) => id))).toEqual(
            new Set(all.map(({ id }) => id)),
          );
      // Without its marker, the object is back.
      await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId: marker }));
      expect(await pagesOf({ Bucket })).toEqual([['a', 'b']]);
    });

    // moto 5.2 forgets the versions from before.
    test.runIf(isOurs)(
      'stay after versioning is suspended, beside one that is called null',
      async () => {
        const Bucket = await world.newBucket(undefined, { versioned: true });
        await putTimes(Bucket, 'a', 1);
        await s3.send(
          new PutBucketVersioningCommand({
            Bucket,
            VersioningConfiguration: { Status: 'Suspended' },
          }),
        );
        await putTimes(Bucket, 'a', 2);
        const ids = (await versionsOf(Bucket)).map(({ id }) => id);
        expect(ids).toHaveLength(2);
        expect(ids[0]).toBe('null');
      },
    );

    test('are deleted many at once, and nothing is left', async () => {
      const Bucket = await world.newBucket(undefined, { versioned: true });
      await putTimes(Bucket, 'p/a <&> "', 2);
      await putTimes(Bucket, 'p/ b ', 1);
      await putTimes(Bucket, 'p2', 1);
      await s3.send(new DeleteObjectCommand({ Bucket, Key: 'p/ b ' }));
      const Objects = (await versionsOf(Bucket, undefined, 'p/')).map(({ key, id }) => ({
        Key: key,
        VersionId: id,
      }));
      expect(Objects).toHaveLength(4);
      const { Errors, Deleted } = await s3.send(
        new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }),
      );
      expect(Errors ?? []).toEqual([]);
      if (isOurs) expect(Deleted ?? []).toEqual([]);
      expect((await versionsOf(Bucket)).map(({ key }) => key)).toEqual(['p2']);
    });
  });

  test.runIf(isOurs)('open uploads are listed by key, page by page', async () => {
    const Bucket = await world.newBucket();
    for (const Key of ['p/b', 'p/a', 'p/a', 'p2'])
      await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const found: string[] = [];
    let KeyMarker: string | undefined;
    let UploadIdMarker: string | undefined;
    do {
      const page: ListMultipartUploadsCommandOutput = await s3.send(
        new ListMultipartUploadsCommand({
          Bucket,
          Prefix: 'p/',
          MaxUploads: 1,
          KeyMarker,
          UploadIdMarker,
        }),
      );
      found.push(...(page.Uploads ?? []).map(({ Key = '' }) => Key));
      [KeyMarker, UploadIdMarker] = [page.NextKeyMarker, page.NextUploadIdMarker];
    } while (KeyMarker !== undefined);
    expect(found).toEqual(['p/a', 'p/a', 'p/b']);
  });
});

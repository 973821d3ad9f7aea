/**
 * Large objects: copied in parts, resumed at a part, and read in pieces where S3 has no checksum.
 */
import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { crc64, joinedCrc64 } from '../../../../lambdas/adapters/dataset/s3/crc64.ts';
import { isSame } from '../../../../lambdas/domain/datasets/digest.ts';
import type { Checkpoint } from '../../../../lambdas/ports.ts';
import type { InjectedS3Fault, S3Call } from '../../../../lib/local/s3/embedded-s3.ts';
import { everythingIn, everythingOf, put, putInParts } from '../../../support/objects.ts';
import { FOREVER, last, NOW } from '../../../support/part-kind-suite.ts';
import {
  documentsOf,
  type S3KindHost,
  type S3KindHostOptions,
  s3KindHost,
} from '../../../support/s3-part-kind-host.ts';

const range = documentsOf('acme');
let host: S3KindHost;
let calls: S3Call[] = [];
afterEach(() => host?.close());

/** Limits of bytes instead of megabytes: S3's own are 5 MB for a part and 5 GB for a copy. */
const LIMITS = { singleCopyBytes: 1_000, partBytes: 400, chunkBytes: 100 };

async function start(
  inject: (call: S3Call) => InjectedS3Fault | undefined = () => undefined,
  options: S3KindHostOptions = {},
): Promise<void> {
  calls = [];
  host = await s3KindHost({
    limits: LIMITS,
    ...options,
    s3: {
      limits: { copyBytes: 1_000, partBytes: 400 },
      ...options.s3,
      inject: (call) => {
        calls.push(call);
        return inject(call);
      },
    },
  });
}
const copy = (from?: Checkpoint) => host.kind.copy(range, 'us', 'de', NOW, from, FOREVER);
const digestOf = async (realm: 'us' | 'de') =>
  (await last(host.kind.digest(range, realm, NOW, undefined, FOREVER))).digest;
const countOf = (operation: string) => calls.filter((call) => call.operation === operation).length;
/** True once so many of these requests have come. */
async function comesTo(operation: string, times: number): Promise<boolean> {
  await expect.poll(() => countOf(operation), { timeout: 60_000 }).toBeGreaterThanOrEqual(times);
  return true;
}
const openUploads = async () =>
  (await host.client('de').send(new ListMultipartUploadsCommand({ Bucket: host.bucket('de') })))
    .Uploads ?? [];

async function expectEqualSides(): Promise<void> {
  expect(await everythingIn(host, 'de', 'acme/')).toEqual(await everythingIn(host, 'us', 'acme/'));
  expect(isSame(await digestOf('de'), await digestOf('us'))).toBe(true);
  expect(await host.kind.differences(range, 'us', 'de', NOW, 10)).toEqual([]);
  expect(await openUploads()).toEqual([]);
}
const bytes = (length: number) => Buffer.from(Array.from({ length }, (_, at) => at % 251));

describe('a large object', () => {
  test('is copied in parts, with everything that is kept of it', async () => {
    await start();
    await put(host, 'us', 'acme/a small one', { Body: bytes(1_000) });
    await put(host, 'us', 'acme/large', {
      Body: bytes(2_500),
      ContentType: 'text/x-large',
      CacheControl: 'no-cache',
      Expires: new Date('2030-01-01T00:00:00Z'),
      Metadata: { author: 'a b' },
      Tagging: 'a b=1%2B1&ü=x',
      StorageClass: 'STANDARD_IA',
      ChecksumAlgorithm: 'CRC32C',
    });
    await put(host, 'us', 'acme/z small one', { Body: bytes(10) });
    const end = await last(copy());
    expect(end).toMatchObject({ done: true, changed: 3, digest: { items: 3, bytes: 3_510 } });
    expect([countOf('UploadPartCopy'), countOf('CopyObject')]).toEqual([7, 2]);
    expect(isSame(end.digest, await digestOf('us'))).toBe(true);
    await expectEqualSides();
    expect(countOf('GetObject')).toBe(6); // by this test alone: no bytes were read to compare
  });

  test('keeps a checksum of its parts, because its parts stay the same', async () => {
    await start();
    await putInParts(host, 'us', 'acme/sha', [700, 400, 3], { ChecksumAlgorithm: 'SHA256' });
    await putInParts(host, 'us', 'acme/crc', [400, 400], {
      ChecksumAlgorithm: 'CRC32',
      ChecksumType: 'COMPOSITE',
    });
    await last(copy());
    expect(await everythingOf(host, 'de', 'acme/sha')).toMatchObject({
      ChecksumSHA256: expect.stringMatching(/=-3$/),
      ChecksumType: 'COMPOSITE',
    });
    await expectEqualSides();
  });

  test('is gone on with at a part, wherever the copy stopped', async () => {
    const parts = 300;
    await start();
    await put(host, 'us', 'acme/large', { Body: bytes(parts * 400) });
    await put(host, 'us', 'acme/next', { Body: 'x' });
    let from: Checkpoint | undefined;
    let turns = 0;
    while (!from?.done) {
      // The time of each turn is over before it begins.
      from = await last(host.kind.copy(range, 'us', 'de', NOW, from, 0));
      turns += 1;
    }
    expect(turns).toBeGreaterThanOrEqual(3);
    expect(countOf('CreateMultipartUpload')).toBe(1);
    expect(countOf('UploadPartCopy')).toBe(parts);
    expect(from).toMatchObject({ changed: 2, digest: { items: 2 } });
    await expectEqualSides();
  });

  test('is gone on with by a worker whose predecessor died in mid-part, or begun again', async () => {
    for (const abort of [false, true]) {
      await start();
      await put(host, 'us', 'acme/large', { Body: bytes(200 * 400) });
      let from: Checkpoint | undefined;
      for await (const checkpoint of copy()) {
        from ??= checkpoint;
        // The upload is on record before its first parts are.
        if (checkpoint !== from || (await comesTo('UploadPartCopy', 40))) break;
      }
      expect(from?.cursor).toMatch(/^\?upload=/);
      const [upload] = await openUploads();
      expect(upload?.Key).toBe('acme/large');
      if (abort)
        await host.client('de').send(
          new AbortMultipartUploadCommand({
            Bucket: host.bucket('de'),
            Key: 'acme/large',
            UploadId: upload?.UploadId,
          }),
        );
      const before = countOf('UploadPartCopy');
      expect(await last(copy(from))).toMatchObject({ done: true, changed: 1 });
      expect(before).toBeGreaterThanOrEqual(40);
      expect(countOf('UploadPartCopy')).toBe(abort ? before + 200 : 200);
      await expectEqualSides();
      await host.close();
    }
  });

  test('whose upload is complete, and not recorded as such, is copied again only if it differs', async () => {
    for (const change of ['nothing', 'the copy', 'the source'] as const) {
      await start();
      await put(host, 'us', 'acme/large', { Body: bytes(2_500), Metadata: { is: 'as it was' } });
      let begun: Checkpoint | undefined;
      for await (const checkpoint of copy()) begun ??= checkpoint;
      expect(begun?.cursor).toMatch(/^\?upload=/);
      const other = { Body: bytes(2_500), Metadata: { is: change } };
      if (change === 'the copy') await put(host, 'de', 'acme/large', other);
      if (change === 'the source')
        await put(host, 'us', 'acme/large', { ...other, Body: bytes(2_501) });
      const end = await last(copy(begun));
      expect(end).toMatchObject({ done: true, changed: 1, digest: { items: 1 } });
      expect(countOf('UploadPartCopy'), change).toBe(change === 'nothing' ? 7 : 14);
      expect(isSame(end.digest, await digestOf('us'))).toBe(true);
      await expectEqualSides();
      await host.close();
    }
  });

  test('leaves no upload behind when a worker died before it recorded the upload', async () => {
    await start();
    await put(host, 'us', 'acme/large', { Body: bytes(200 * 400) });
    for await (const _ of copy()) break;
    expect(await openUploads()).toHaveLength(1);
    await last(copy());
    await expectEqualSides();
  });

  test('that is replaced or deleted in mid-copy is begun again, or forgotten', async () => {
    await start();
    await put(host, 'us', 'acme/large', { Body: bytes(200 * 400) });
    let from: Checkpoint | undefined;
    for await (const checkpoint of copy()) {
      from = checkpoint;
      break;
    }
    await put(host, 'us', 'acme/large', { Body: bytes(3_000), Metadata: { is: 'new' } });
    await last(copy(from));
    await expectEqualSides();

    await put(host, 'us', 'acme/larger', { Body: bytes(200 * 400) });
    from = undefined;
    for await (const checkpoint of copy()) {
      from = checkpoint;
      if (checkpoint.cursor?.includes('larger')) break;
    }
    await put(host, 'us', 'acme/larger', { Body: 'small now' });
    await last(copy(from));
    await expectEqualSides();
  });

  test('that changes while its parts are copied is a fault, and arrives at the next try', async () => {
    let replaces = true;
    await start(undefined, {
      s3: {
        onRequest: async ({ operation }) => {
          if (operation !== 'UploadPartCopy' || !replaces) return;
          replaces = false;
          await put(host, 'us', 'acme/large', { Body: bytes(2_600) });
        },
      },
    });
    await put(host, 'us', 'acme/large', { Body: bytes(2_500) });
    await expect(last(copy())).rejects.toThrow(expect.objectContaining({ name: 'Fault' }));
    await last(copy());
    await expectEqualSides();
  });

  test('is complete although an answer is lost, of a part or of the last request', async () => {
    const lost = new Set<string>();
    await start(({ operation }) => {
      if (!['UploadPartCopy', 'CompleteMultipartUpload'].includes(operation)) return undefined;
      if (lost.has(operation)) return undefined;
      lost.add(operation);
      return { lost: true };
    });
    await put(host, 'us', 'acme/large', { Body: bytes(2_500) });
    expect(await last(copy())).toMatchObject({ changed: 1 });
    expect(lost.size).toBe(2);
    await expectEqualSides();
  });

  test('is made equal by a restore, and only where it differs', async () => {
    await start();
    for (const name of ['a', 'b', 'c'])
      await put(host, 'us', `acme/${name}`, { Body: bytes(2_500), Tagging: 'a=1' });
    await last(copy());
    await put(host, 'de', 'acme/b', { Body: bytes(2_500), Tagging: 'a=2' });
    await put(host, 'de', 'acme/c', { Body: bytes(2_501), Tagging: 'a=1' });
    calls = [];
    const end = await last(host.kind.restore(range, 'us', 'de', NOW, undefined, FOREVER));
    expect(end).toMatchObject({ changed: 2, digest: { items: 3 } });
    expect([countOf('CreateMultipartUpload'), countOf('PutObjectTagging')]).toEqual([1, 1]);
    await expectEqualSides();
  });
});

describe('objects from before S3 kept checksums', () => {
  /** Nothing in the source has a checksum; what is copied gets one. */
  async function startOld(): Promise<void> {
    await start(undefined, { s3: { checksumByDefault: false } });
  }
  async function putOld(key: string, Body: Uint8Array): Promise<void> {
    const old = new S3Client({
      endpoint: (await host.client('us').config.endpoint?.()) ?? '',
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    await put({ ...host, client: () => old }, 'us', key, { Body });
    old.destroy();
  }

  test('are compared by their bytes, which are read in pieces and gone on with', async () => {
    await startOld();
    await putOld('acme/a', bytes(0));
    await putOld('acme/b', bytes(99));
    await putOld('acme/c', bytes(2_650));
    await putOld('acme/d', bytes(350));
    const end = await last(copy());
    const whole = await digestOf('us');
    expect(isSame(end.digest, whole)).toBe(true);
    expect(isSame(await digestOf('de'), whole)).toBe(true);
    const { ChecksumCRC64NVME } = await everythingOf(host, 'de', 'acme/c');
    expect(ChecksumCRC64NVME).toBeTypeOf('string');
    expect(await host.kind.differences(range, 'us', 'de', NOW, 10)).toEqual([]);
    let from: Checkpoint | undefined;
    const cursors: (string | undefined)[] = [];
    while (!from?.done) {
      from = await last(host.kind.digest(range, 'us', NOW, from, 0));
      cursors.push(from.cursor);
    }
    expect(cursors.filter((cursor) => cursor?.includes('crc='))).toHaveLength(6);
    expect(from.digest).toEqual(whole);
    await putOld('acme/c', Buffer.concat([bytes(2_649), Buffer.of(7)]));
    expect(isSame(await digestOf('us'), whole)).toBe(false);
    expect(await host.kind.differences(range, 'us', 'de', NOW, 10)).toEqual([
      { key: 'c', found: 'changed' },
    ]);
    expect(await last(host.kind.restore(range, 'us', 'de', NOW, undefined, FOREVER))).toMatchObject(
      { changed: 1 },
    );
    expect(isSame(await digestOf('us'), await digestOf('de'))).toBe(true);
  });
});

test('the checksums of two pieces make that of both', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
      async (one, other) => {
        const joined = joinedCrc64(await crc64(one), await crc64(other), other.length);
        expect(joined).toBe(await crc64(Buffer.concat([one, other])));
      },
    ),
  );
});

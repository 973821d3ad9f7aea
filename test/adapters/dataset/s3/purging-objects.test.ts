/**
 * A purge leaves nothing: no version, no delete marker, no open upload; and obstacles are found.
 */
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterEach, describe, expect, test } from 'vitest';
import { sayObstacles } from '../../../../lambdas/adapters/dataset/s3/object-check.ts';
import type { Checkpoint } from '../../../../lambdas/ports.ts';
import { put } from '../../../support/objects.ts';
import { FOREVER, last, NOW } from '../../../support/part-kind-suite.ts';
import {
  documentsOf,
  type S3KindHost,
  type S3KindHostOptions,
  s3KindHost,
} from '../../../support/s3-part-kind-host.ts';

const range = documentsOf('acme');
let host: S3KindHost;
afterEach(() => host?.close());
const start = async (options: S3KindHostOptions) => {
  host = await s3KindHost(options);
};
const purge = (from?: Checkpoint, until = FOREVER) =>
  last(host.kind.purge(range, 'us', from, until));
const remove = (Key: string) =>
  host.client('us').send(new DeleteObjectCommand({ Bucket: host.bucket('us'), Key }));
async function upload(Key: string): Promise<void> {
  const place = { Bucket: host.bucket('us'), Key };
  const { UploadId } = await host.client('us').send(new CreateMultipartUploadCommand(place));
  const part = { ...place, UploadId, PartNumber: 1, Body: 'part' };
  await host.client('us').send(new UploadPartCommand(part));
}
async function versionsLeft(): Promise<readonly (string | undefined)[]> {
  const { Versions = [], DeleteMarkers = [] } = await host
    .client('us')
    .send(new ListObjectVersionsCommand({ Bucket: host.bucket('us') }));
  return [...Versions, ...DeleteMarkers].map(({ Key }) => Key);
}

describe('a purge', () => {
  test('deletes all versions, delete markers and open uploads, and nothing of a neighbour', async () => {
    await start({ versioned: true });
    for (const key of ['acme/a', 'acme/a', 'acme/b', 'acme/', 'acme-10/x', 'acme0'])
      await put(host, 'us', key);
    await remove('acme/b');
    await remove('acme/never there');
    await upload('acme/a');
    await upload('acme-10/x');
    expect(await host.kind.isEmpty(range, 'us')).toBe(false);
    expect(await purge()).toMatchObject({ done: true, changed: 7 });
    expect(await host.kind.isEmpty(range, 'us')).toBe(true);
    expect(await versionsLeft()).toEqual(['acme-10/x', 'acme0']);
    expect(await host.kind.isEmpty(documentsOf('acme-10'), 'us')).toBe(false);
    expect(await purge()).toMatchObject({ done: true, changed: 0 });
  });

  test('goes on from where it stopped, also within the versions of one key', async () => {
    await start({ versioned: true, limits: { pageKeys: 3 } });
    for (const key of ['acme/a', 'acme/b', 'acme/b\u0001', 'acme/c'])
      for (let time = 0; time < 5; time += 1) await put(host, 'us', key);
    for (let time = 0; time < 4; time += 1) await upload(`acme/${time}`);
    let from: Checkpoint | undefined;
    let turns = 0;
    while (!from?.done) {
      from = await purge(from, 0);
      turns += 1;
    }
    expect(turns).toBeGreaterThan(5);
    expect(from.changed).toBe(24);
    expect(await host.kind.isEmpty(range, 'us')).toBe(true);
  });

  test.each<[string, () => Promise<unknown>]>([
    [
      'an old version under a delete marker',
      async () => {
        await put(host, 'us', 'acme/a');
        await remove('acme/a');
      },
    ],
    ['a delete marker', () => remove('acme/a')],
    ['an open upload', () => upload('acme/a')],
    ['an object that is called like the prefix', () => put(host, 'us', 'acme/')],
  ])('has not ended where there is %s', async (_, make) => {
    await start({ versioned: true });
    await make();
    expect(await host.kind.isEmpty(range, 'us')).toBe(false);
    await purge();
    expect(await host.kind.isEmpty(range, 'us')).toBe(true);
  });

  test('says how many versions S3 has not deleted, and names none', async () => {
    await start({ locked: true });
    await put(host, 'us', 'acme/secret name', { ObjectLockLegalHoldStatus: 'ON' });
    await put(host, 'us', 'acme/free');
    expect(await host.kind.obstacles?.(range, 'us', FOREVER)).toEqual({
      says: [
        '1 version of an object is under Object Lock or a legal hold: S3 would refuse the purge of the source',
      ],
      complete: true,
    });
    await expect(purge()).rejects.toThrow(
      expect.objectContaining({
        name: 'PermanentError',
        message:
          'part "documents": S3 has not deleted 1 of 2 versions in bucket documents-us: AccessDenied',
      }),
    );
    expect(await versionsLeft()).toEqual(['acme/secret name']);
  });
});

describe('what stands in the way of a move', () => {
  test('is found in every version, counted, and said without a name', async () => {
    await start({ versioned: true });
    await put(host, 'us', 'acme/free');
    await put(host, 'us', 'acme/archived', { StorageClass: 'GLACIER' });
    await put(host, 'us', 'acme/archived', { StorageClass: 'STANDARD' });
    await put(host, 'us', 'acme/key', {
      SSECustomerAlgorithm: 'AES256',
      SSECustomerKey: '0'.repeat(32),
    });
    const found = { checked: 4, locked: 0, customerKey: 1, archived: 1, complete: true };
    const whole = await host.kind.obstacles?.(range, 'us', FOREVER);
    expect(whole).toEqual({ says: sayObstacles(found), complete: true });
    expect(sayObstacles({ ...found, locked: 2 })).toEqual([
      '2 versions of objects are under Object Lock or a legal hold: S3 would refuse the purge of the source',
      '1 version of an object is encrypted with a key that only the writer has (SSE-C): S3 cannot copy it without that key',
      '1 version of an object is archived: restore and copy it to a storage class that can be read, before the move',
    ]);
    expect(sayObstacles({ ...found, customerKey: 0, archived: 0 })).toEqual([]);
  });

  test('is looked for in turns, each of which goes on where the one before ended', async () => {
    await start({ versioned: true, limits: { pageKeys: 1 } });
    for (const _ of [1, 2]) await put(host, 'us', 'acme/a', { StorageClass: 'GLACIER' });
    await put(host, 'us', 'acme/b', { StorageClass: 'DEEP_ARCHIVE' });
    let found = await host.kind.obstacles?.(range, 'us', 0);
    const turns = [found?.complete];
    while (found?.complete === false) {
      found = await host.kind.obstacles?.(range, 'us', 0, found);
      turns.push(found?.complete);
    }
    expect(turns).toEqual([false, false, true]);
    expect(found?.says).toEqual([expect.stringContaining('3 versions of objects are archived')]);
  });

  test('ends a copy with a sentence that names no object', async () => {
    await start({});
    await put(host, 'us', 'acme/secret name', {
      SSECustomerAlgorithm: 'AES256',
      SSECustomerKey: '0'.repeat(32),
    });
    const copy = () => last(host.kind.copy(range, 'us', 'de', NOW, undefined, FOREVER));
    await expect(copy()).rejects.toThrow(
      'part "documents": an object in bucket documents-us is encrypted with a key that only its writer has (SSE-C): it cannot be moved',
    );
    await put(host, 'us', 'acme/secret name', { StorageClass: 'DEEP_ARCHIVE' });
    await expect(copy()).rejects.toThrow(
      'S3 refuses CopyObject on bucket documents-de: InvalidObjectState (an object is archived, and has to be restored first)',
    );
  });
});

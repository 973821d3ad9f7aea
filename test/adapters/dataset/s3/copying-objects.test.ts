/**
 * Objects of all kinds arrive as they were, whatever their keys, and whatever happens meanwhile.
 */
import {
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { afterEach, describe, expect, test } from 'vitest';
import { isSame } from '../../../../lambdas/domain/datasets/digest.ts';
import type { Checkpoint } from '../../../../lambdas/ports.ts';
import type { S3Call } from '../../../../lib/local/s3/embedded-s3.ts';
import { everythingIn, keysIn, put } from '../../../support/objects.ts';
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

async function start(options: S3KindHostOptions = {}): Promise<void> {
  calls = [];
  host = await s3KindHost({
    ...options,
    s3: {
      ...options.s3,
      onRequest: async (call) => {
        calls.push(call);
        await options.s3?.onRequest?.(call);
      },
    },
  });
}
const copyAll = (from?: Checkpoint) => last(host.kind.copy(range, 'us', 'de', NOW, from, FOREVER));
const restoreAll = () => last(host.kind.restore(range, 'us', 'de', NOW, undefined, FOREVER));
const digestOf = async (realm: 'us' | 'de') =>
  (await last(host.kind.digest(range, realm, NOW, undefined, FOREVER))).digest;
const differences = () => host.kind.differences(range, 'us', 'de', NOW, 10);
const countOf = (operation: string) => calls.filter((call) => call.operation === operation).length;

async function expectEqualSides(): Promise<void> {
  expect(await everythingIn(host, 'de', 'acme/')).toEqual(await everythingIn(host, 'us', 'acme/'));
  expect(await digestOf('de')).toEqual(await digestOf('us'));
  expect(await differences()).toEqual([]);
}

const KEYS = [
  '',
  'a b',
  'a+b',
  'a%2Fb%',
  '🦉/ü～',
  'a//b',
  'folder/',
  'x/../y/./z',
  '!\'()*&<>"',
  'a\u0001\r\nb',
  'x'.repeat(1_024 - 'acme/'.length),
];

describe('a copy of objects', () => {
  test('keeps bytes, headers, metadata, tags, storage class and checksum', async () => {
    await start();
    await put(host, 'us', 'acme/empty', { Body: new Uint8Array() });
    await put(host, 'us', 'acme/all', {
      ContentType: 'text/plain; charset=utf-8',
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment; filename="a.txt"',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de',
      Expires: new Date('2030-01-01T00:00:00Z'),
      WebsiteRedirectLocation: '/elsewhere',
      Metadata: { author: 'a b', 'with-dash': '1' },
      Tagging: 'a=1&b=x%20y',
      StorageClass: 'STANDARD_IA',
      ChecksumAlgorithm: 'SHA256',
    });
    for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1'] as const)
      await put(host, 'us', `acme/${ChecksumAlgorithm}`, { ChecksumAlgorithm });
    const end = await copyAll();
    expect(end).toMatchObject({ done: true, changed: 6, digest: { items: 6 } });
    expect(end.digest).toEqual(await digestOf('us'));
    await expectEqualSides();
    expect(await everythingIn(host, 'de', 'acme/all')).toMatchObject([
      { WebsiteRedirectLocation: '/elsewhere', StorageClass: 'STANDARD_IA', TagCount: 2 },
    ]);
  });

  test('takes any key, and none of a prefix that looks alike', async () => {
    await start({ limits: { pageKeys: 4 } });
    for (const key of KEYS) await put(host, 'us', `acme/${key}`, { Body: key });
    const neighbours = ['acme', 'acme-10/a', 'acme0', 'acm/a', 'x/acme/a'];
    for (const key of neighbours) {
      await put(host, 'us', key);
      await put(host, 'de', key, { Body: 'of another tenant' });
    }
    let from: Checkpoint | undefined;
    let turns = 0;
    while (!from?.done) {
      from = await last(host.kind.copy(range, 'us', 'de', NOW, from, 0));
      turns += 1;
    }
    expect([turns, from.changed]).toEqual([3, KEYS.length]);
    await expectEqualSides();
    const theirs = () =>
      everythingIn(host, 'de', '').then((all) => all.filter(({ key }) => neighbours.includes(key)));
    const before = await theirs();
    expect(before).toHaveLength(neighbours.length);
    expect(await last(host.kind.purge(range, 'de', undefined, FOREVER))).toMatchObject({
      changed: KEYS.length,
    });
    expect(await host.kind.isEmpty(range, 'de')).toBe(true);
    expect(await theirs()).toEqual(before);
  });

  test('passes over what is deleted meanwhile, and takes what is replaced as it is then', async () => {
    let isOver = false;
    await start({
      s3: {
        onRequest: async ({ operation, key }) => {
          if (operation !== 'CopyObject' || isOver) return;
          const Bucket = host.bucket('us');
          if (key === 'acme/deleted')
            await host.client('us').send(new DeleteObjectCommand({ Bucket, Key: key }));
          if (key !== 'acme/replaced') return;
          isOver = true;
          await put(host, 'us', key, { Body: 'new', Metadata: { is: 'new' }, Tagging: 'new=1' });
        },
      },
    });
    for (const key of ['acme/deleted', 'acme/kept', 'acme/replaced']) await put(host, 'us', key);
    const end = await copyAll();
    expect(end).toMatchObject({ changed: 2, digest: { items: 2 } });
    expect(end.digest).toEqual(await digestOf('us'));
    await expectEqualSides();
  });

  test('ends with a fault where an object is replaced again and again', async () => {
    await start({
      s3: {
        onRequest: async ({ operation, key }) => {
          if (operation === 'CopyObject') await put(host, 'us', key, { Body: `${calls.length}` });
        },
      },
    });
    await put(host, 'us', 'acme/secret name');
    await expect(copyAll()).rejects.toThrow(
      expect.objectContaining({
        name: 'Fault',
        message: 'part "documents": an object was replaced while it was read',
      }),
    );
  });
});

describe('objects that differ', () => {
  test('are found, counted and made equal, by tags alone where nothing else differs', async () => {
    await start();
    const same = { Body: 'same' };
    for (const name of ['bytes', 'equal', 'metadata', 'missing', 'tags', 'untagged', 'header'])
      await put(host, 'us', `acme/${name}`, { ...same, Tagging: name === 'untagged' ? '' : 'a=1' });
    await copyAll();
    expect(isSame(await digestOf('us'), await digestOf('de'))).toBe(true);
    const Bucket = host.bucket('de');
    const de = host.client('de');
    await put(host, 'de', 'acme/bytes', { Body: 'SAME', Tagging: 'a=1' });
    await put(host, 'de', 'acme/metadata', { ...same, Tagging: 'a=1', Metadata: { x: '1' } });
    await put(host, 'de', 'acme/header', { ...same, Tagging: 'a=1', CacheControl: 'no-cache' });
    await put(host, 'de', 'acme/extra', same);
    await de.send(new DeleteObjectCommand({ Bucket, Key: 'acme/missing' }));
    await de.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'acme/tags' }));
    await de.send(
      new PutObjectTaggingCommand({
        Bucket,
        Key: 'acme/untagged',
        Tagging: { TagSet: [{ Key: 'b', Value: '' }] },
      }),
    );
    expect(await differences()).toEqual([
      { key: 'bytes', found: 'changed' },
      { key: 'extra', found: 'extra' },
      { key: 'header', found: 'changed' },
      { key: 'metadata', found: 'changed' },
      { key: 'missing', found: 'missing' },
      { key: 'tags', found: 'changed' },
      { key: 'untagged', found: 'changed' },
    ]);
    expect(isSame(await digestOf('us'), await digestOf('de'))).toBe(false);
    calls = [];
    expect(await restoreAll()).toMatchObject({ changed: 7, digest: { items: 7 } });
    expect([
      countOf('CopyObject'),
      countOf('PutObjectTagging'),
      countOf('DeleteObjectTagging'),
    ]).toEqual([4, 1, 1]);
    await expectEqualSides();
    expect(await restoreAll()).toMatchObject({ changed: 0 });
  });

  test('each change of one object changes the digest', async () => {
    await start();
    const base = { Body: 'text', Metadata: { a: '1' }, Tagging: 'a=1' } as const;
    const digests = new Set<bigint>();
    for (const input of [
      base,
      { ...base, Body: 'txet' },
      { ...base, Metadata: { a: '2' } },
      { ...base, Metadata: { b: '1' } },
      { ...base, Tagging: 'a=2' },
      { ...base, Tagging: '' },
      { ...base, ContentType: 'text/html' },
      { ...base, StorageClass: 'STANDARD_IA' as const },
    ]) {
      await put(host, 'us', 'acme/a', input);
      digests.add((await digestOf('us')).sum);
    }
    await put(host, 'us', 'acme/b', base);
    digests.add((await digestOf('us')).sum);
    expect(digests.size).toBe(9);
  });
});

describe('an S3 under load', () => {
  const fill = (count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        put(host, 'us', `acme/${String(index).padStart(4, '0')}`),
      ),
    );

  test.each([
    ['says SlowDown', { error: 'SlowDown' }],
    ['fails', { error: 'InternalError' }],
    ['loses an answer', { lost: true as const }],
  ])('is copied completely although it now and then %s', async (_, fault) => {
    // Every fourth request fails, each once: a request is tried five times.
    const seen = new Set<string>();
    await start({
      limits: { pageKeys: 40 },
      s3: {
        inject: ({ operation, bucket, key }) => {
          const request = `${operation} ${bucket} ${key}`;
          if (operation === 'PutObject' || seen.has(request)) return undefined;
          seen.add(request);
          return seen.size % 4 === 0 ? fault : undefined;
        },
      },
    });
    await fill(100);
    expect(await copyAll()).toMatchObject({ done: true, changed: 100 });
    expect(isSame(await digestOf('us'), await digestOf('de'))).toBe(true);
    await last(host.kind.purge(range, 'de', undefined, FOREVER));
    expect(await host.kind.isEmpty(range, 'de')).toBe(true);
    expect(host.throttled() > 0).toBe('error' in fault && fault.error === 'SlowDown');
  });

  test('has no more requests in flight than are allowed, and no more writes than a rate limit', async () => {
    let [inFlight, most] = [0, 0];
    await start({
      mostRequests: 5,
      s3: {
        onRequest: ({ operation }) => {
          if (operation !== 'CopyObject') return;
          inFlight += 1;
          most = Math.max(most, inFlight);
        },
        onAnswered: ({ operation }) => {
          if (operation === 'CopyObject') inFlight -= 1;
        },
      },
    });
    await fill(40);
    const begun = performance.now();
    for await (const _ of host.kind.copy(range, 'us', 'de', NOW, undefined, FOREVER, 40));
    expect(40 / ((performance.now() - begun) / 1000)).toBeLessThan(50);
    expect(most).toBeLessThanOrEqual(5);
  });

  test('a refusal ends the copy, is not tried again, and names no object', async () => {
    await start({
      s3: {
        inject: ({ operation }) =>
          operation === 'CopyObject' ? { error: 'AccessDenied' } : undefined,
      },
    });
    await put(host, 'us', 'acme/secret name');
    await expect(copyAll()).rejects.toThrow(
      expect.objectContaining({
        name: 'PermanentError',
        message: 'S3 refuses CopyObject on bucket documents-de: AccessDenied',
      }),
    );
    expect(countOf('CopyObject')).toBe(1);
  });

  test('nothing is written any more once a copy has been closed', async () => {
    await start({ limits: { pageKeys: 20 }, mostRequests: 4 });
    await fill(200);
    for await (const _ of host.kind.copy(range, 'us', 'de', NOW, undefined, FOREVER)) break;
    const copied = countOf('CopyObject');
    expect(copied).toBeLessThan(200);
    await fill(1);
    expect(countOf('CopyObject')).toBe(copied);
    expect((await keysIn(host, 'de')).length).toBe(copied);
  });
});

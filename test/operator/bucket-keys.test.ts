/** Which prefixes a bucket has: a sample of them, and all of them over several pages. */
import { CreateMultipartUploadCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { S3Part } from '../../lambdas/domain/datasets/s3-part.ts';
import { beginningIn, everyBeginning } from '../../lib/operator/audit/bucket-keys.ts';
import type { S3World } from '../support/s3-client.ts';
import { onEveryS3 } from '../support/second-s3.ts';

const part: S3Part = {
  kind: 's3',
  name: 'documents',
  policy: 'move',
  prefix: '{tenant}/',
  versions: 'current',
};

test('a prefix ends where its template does, or at the first delimiter', () => {
  const files: S3Part = { ...part, prefix: ['files/{tenant}/v1/', 'thumbs/{tenant}/'] };
  const of = (key: string) => beginningIn([files], key);
  expect(of('files/acme/v1/a/b')).toBe('files/acme/v1/');
  expect(of('files/acme/v2/a')).toBe('files/acme/');
  expect(of('thumbs/acme/a')).toBe('thumbs/acme/');
  expect(of('other/acme/a')).toBe('other/');
  expect(of('readme.txt')).toBeUndefined();
});

onEveryS3((start) => {
  let world: S3World;
  let s3: S3Client;
  beforeAll(async () => {
    world = await start();
    s3 = world.client();
  });
  afterAll(() => world.close());

  test('every prefix is found behind one of more than a page', async () => {
    const Bucket = await world.newBucket(undefined, { versioned: true });
    const many = Array.from({ length: 1_001 }, (_, at) => `many/${at}`);
    for (const Key of ['acme/a', 'acme-1/a+b c%20d', 'loose', ...many, 'zed/a'])
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'begun/a' }));
    const { beginnings, loose } = await everyBeginning({ clients: { objects: () => s3 } }, 'us', {
      name: Bucket,
      parts: [part],
    });
    expect(beginnings).toEqual(['acme-1/', 'acme/', 'many/', 'zed/', 'begun/']);
    expect(loose).toBe(1);
  });
});

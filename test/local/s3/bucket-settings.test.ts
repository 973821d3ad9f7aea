/** Settings of a bucket: what was put is told, and what nobody put is told as S3 tells it. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteBucketEncryptionCommand,
  DeleteBucketReplicationCommand,
  DeletePublicAccessBlockCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketReplicationCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketReplicationCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DE, type S3World, s3World, US } from '../../support/s3-client.ts';
import { onEveryS3 } from '../../support/second-s3.ts';

const refusal = (name: string) => expect.objectContaining({ name });
const RULE = {
  ID: 'open uploads',
  Status: 'Enabled' as const,
  Filter: { Prefix: '' },
  AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
};

onEveryS3((start, isOurs) => {
  let world: S3World;
  beforeAll(async () => {
    world = await start();
  });
  afterAll(() => world.close());

  test('what is put is told as it was put', async () => {
    const s3 = world.client();
    const Bucket = await world.newBucket(US, { versioned: true });
    const Destination = {
      Bucket: `arn:aws:s3:::${await world.newBucket(DE, { versioned: true })}`,
    };
    await s3.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: { Rules: [RULE, { ...RULE, ID: 'more' }] },
      }),
    );
    await s3.send(
      new PutBucketReplicationCommand({
        Bucket,
        ReplicationConfiguration: {
          Role: 'arn:aws:iam::123456789012:role/replicates',
          Rules: [{ ID: 'away', Status: 'Enabled', Priority: 1, Prefix: '', Destination }],
        },
      }),
    );
    const { Rules } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    expect(Rules).toMatchObject([RULE, { ...RULE, ID: 'more' }]);
    const replicated = new GetBucketReplicationCommand({ Bucket });
    const { ReplicationConfiguration } = await s3.send(replicated);
    expect(ReplicationConfiguration?.Rules).toMatchObject([{ ID: 'away', Destination }]);
    await s3.send(new DeleteBucketReplicationCommand({ Bucket }));
    await expect(s3.send(replicated)).rejects.toThrow(
      refusal('ReplicationConfigurationNotFoundError'),
    );
  });

  test('what is not set is empty, or an error of its own', async () => {
    const s3 = world.client();
    const Bucket = await world.newBucket();
    const told = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    expect(Object.keys(told)).toEqual(['$metadata']);
    for (const [command, name] of [
      [new GetBucketLifecycleConfigurationCommand({ Bucket }), 'NoSuchLifecycleConfiguration'],
      [new GetBucketReplicationCommand({ Bucket }), 'ReplicationConfigurationNotFoundError'],
      [new GetObjectLockConfigurationCommand({ Bucket }), 'ObjectLockConfigurationNotFoundError'],
    ] as const)
      await expect(s3.send<never, never>(command as never), name).rejects.toThrow(refusal(name));
    await expect(
      s3.send(new GetBucketReplicationCommand({ Bucket: 'nothing-is-called-so' })),
    ).rejects.toThrow(refusal('NoSuchBucket'));
  });

  test('a bucket with Object Lock says so, and what new objects are locked with', async () => {
    const s3 = world.client();
    const Bucket = await world.newBucket(US, { input: { ObjectLockEnabledForBucket: true } });
    const get = new GetObjectLockConfigurationCommand({ Bucket });
    expect((await s3.send(get)).ObjectLockConfiguration).toEqual({ ObjectLockEnabled: 'Enabled' });
    const Rule = { DefaultRetention: { Mode: 'GOVERNANCE' as const, Days: 30 } };
    await s3.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule },
      }),
    );
    expect((await s3.send(get)).ObjectLockConfiguration).toMatchObject({ Rule });
  });

  test('the region is told', async () => {
    const Bucket = await world.newBucket(DE);
    const { BucketRegion } = await world.client(DE).send(new HeadBucketCommand({ Bucket }));
    expect(BucketRegion).toBe(DE);
  });

  // moto makes buckets as S3 did before 2023.
  test.runIf(isOurs)('a new bucket is private, encrypted, and its owner has all', async () => {
    const s3 = world.client();
    const Bucket = await world.newBucket();
    const access = new GetPublicAccessBlockCommand({ Bucket });
    expect((await s3.send(access)).PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    });
    await s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
    await expect(s3.send(access)).rejects.toThrow(refusal('NoSuchPublicAccessBlockConfiguration'));
    const { OwnershipControls } = await s3.send(new GetBucketOwnershipControlsCommand({ Bucket }));
    expect(OwnershipControls?.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
    await s3.send(new DeleteBucketEncryptionCommand({ Bucket }));
    const { ServerSideEncryptionConfiguration } = await s3.send(
      new GetBucketEncryptionCommand({ Bucket }),
    );
    expect(ServerSideEncryptionConfiguration?.Rules?.[0]).toMatchObject({
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' },
    });
  });
});

describe('on a disk', () => {
  test('settings are still there after a start', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'settings-'));
    try {
      const first = await s3World({ dataDir });
      const Bucket = await first.newBucket();
      await first.client().send(
        new PutBucketLifecycleConfigurationCommand({
          Bucket,
          LifecycleConfiguration: { Rules: [RULE] },
        }),
      );
      await first.close();
      for (const _ of ['replayed', 'and written anew']) {
        const again = await s3World({ dataDir });
        const { Rules } = await again
          .client()
          .send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
        expect(Rules).toMatchObject([RULE]);
        await again.close();
      }
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });
});

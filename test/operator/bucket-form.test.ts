/** What `doctor` and `preflight` say of the form of a bucket, by the settings of a real store. */
import {
  DeletePublicAccessBlockCommand,
  type LifecycleRule,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketReplicationCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { S3Part } from '../../lambdas/domain/datasets/s3-part.ts';
import {
  bucketFound,
  bucketsFound,
  type DeclaredBucket,
} from '../../lib/operator/doctor/bucket-form.ts';
import { DE, type S3World, s3World, US } from '../support/s3-client.ts';

const OURS: S3Part = {
  kind: 's3',
  name: 'documents',
  policy: 'move',
  prefix: 'files/{tenant}/',
  versions: 'current',
  keepsVersionsDays: 30,
};
const { keepsVersionsDays: _, ...OWN }: S3Part = { ...OURS, bucket: () => 'own' };
const KEY = 'arn:aws:kms:us-east-1:123456789012:key/k-1';

let world: S3World;
let s3: S3Client;
let Bucket: string;
beforeAll(async () => {
  world = await s3World();
  s3 = world.client();
});
afterAll(() => world.close());
/** As the stacks make one. */
beforeEach(async () => {
  Bucket = await world.newBucket(US, { versioned: true });
  await rules({ NoncurrentVersionExpiration: { NoncurrentDays: 30 }, ...ABORTING });
});

const ABORTING = { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } };
const rules = (...some: readonly Partial<LifecycleRule>[]) =>
  s3.send(
    new PutBucketLifecycleConfigurationCommand({
      Bucket,
      LifecycleConfiguration: {
        Rules: some.map((rule, at) => ({
          ID: `rule ${at}`,
          Status: 'Enabled',
          Filter: { Prefix: '' },
          ...rule,
        })),
      },
    }),
  );
const declared = (part: S3Part, more: Partial<DeclaredBucket> = {}): DeclaredBucket => ({
  name: Bucket,
  realm: 'us',
  region: US,
  parts: [part],
  ...more,
});
const found = (part: S3Part, more: Partial<DeclaredBucket> = {}) =>
  bucketsFound({ clients: { objects: () => s3 } as never }, 'us', [declared(part, more)]);

describe('a bucket', () => {
  test('as the stacks make it is fine, and says how it is', async () => {
    const says = `documents: private, versioned, encrypted by AES256, in ${US}`;
    expect(await found(OURS)).toEqual([{ ok: true, says }]);
    expect(await found(OWN)).toEqual([{ ok: true, says }]);
  });

  test('that tells others of its changes says whom, and that they see a move', async () => {
    const queue = 'arn:aws:sqs:us-east-1:123456789012:changes';
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket,
        NotificationConfiguration: {
          QueueConfigurations: [{ QueueArn: queue, Events: ['s3:ObjectCreated:*'] }],
          EventBridgeConfiguration: {},
        },
      }),
    );
    const [one] = await found(OWN);
    expect(one).toMatchObject({ ok: true });
    expect(one?.says).toContain(`${queue}, EventBridge see a move: copies as creations`);
  });

  test('with several faults says each of them', async () => {
    await s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
    await rules({ Expiration: { Days: 90 } });
    expect((await found(OURS)).map(({ ok, says }) => [ok, says])).toEqual([
      [false, 'the bucket of documents does not block public access'],
      [false, 'the bucket of documents removes objects by age (rule rule 0)'],
      [false, 'the bucket of documents keeps open uploads for ever'],
      [
        false,
        'the bucket of documents keeps noncurrent versions for ever, and keepsVersionsDays is 30',
      ],
    ]);
  });

  test('that nobody has made, or in another region, is said to be so', async () => {
    const elsewhere = await world.newBucket(DE);
    const [missing, moved] = [
      await found(OWN, { name: 'nobody-has-this-name' }),
      await found(OWN, { name: elsewhere }),
    ];
    expect(missing).toMatchObject([
      { ok: false, says: 'there is no bucket nobody-has-this-name, of documents' },
    ]);
    expect(moved).toMatchObject([
      {
        ok: false,
        says: `the bucket ${elsewhere} of documents is in ${DE}, and realm us is in ${US}`,
        fix: expect.stringContaining(`name a bucket in ${US} for realm us`),
      },
    ]);
  });

  test('that is closed to us is said to be so', async () => {
    const closed = await s3World({
      inject: ({ operation }) =>
        operation === 'HeadBucket' ? { error: 'AccessDenied' } : undefined,
    });
    const found = await bucketsFound(
      { clients: { objects: () => closed.client() } as never },
      'us',
      [declared(OWN, { name: await closed.newBucket() })],
    );
    await closed.close();
    expect(found).toMatchObject([
      { ok: false, says: expect.stringContaining('may not be looked at') },
    ]);
  });
});

type Change = () => Promise<unknown>;
const encrypted = (SSEAlgorithm: 'aws:kms' | 'AES256', KMSMasterKeyID?: string) => () =>
  s3.send(
    new PutBucketEncryptionCommand({
      Bucket,
      ServerSideEncryptionConfiguration: {
        Rules: [
          {
            ApplyServerSideEncryptionByDefault: {
              SSEAlgorithm,
              ...(KMSMasterKeyID !== undefined && { KMSMasterKeyID }),
            },
          },
        ],
      },
    }),
  );
const replicated = async (Status: 'Enabled' | 'Disabled') => {
  const to = await world.newBucket(DE, { versioned: true, input: { Bucket: `replica-${Bucket}` } });
  await s3.send(
    new PutBucketReplicationCommand({
      Bucket,
      ReplicationConfiguration: {
        Role: 'arn:aws:iam::123456789012:role/replicates',
        Rules: [
          {
            ID: 'away',
            Status,
            Prefix: '',
            Destination: { Bucket: `arn:aws:s3:::${to}`, Account: '210987654321' },
          },
        ],
      },
    }),
  );
};
const locked = () =>
  s3.send(
    new PutObjectLockConfigurationCommand({
      Bucket,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 7 } },
      },
    }),
  );
const suspended = () =>
  s3.send(
    new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } }),
  );
const writer = () =>
  s3.send(
    new PutBucketOwnershipControlsCommand({
      Bucket,
      OwnershipControls: { Rules: [{ ObjectOwnership: 'ObjectWriter' }] },
    }),
  );

describe('one fault', () => {
  test.each<[string, S3Part, Change, string, string]>([
    [
      'a replica',
      OWN,
      () => replicated('Enabled'),
      'is replicated to arn:aws:s3:::replica-',
      'of account 210987654321 (rule away)',
    ],
    ['a lock', OWN, locked, 'locks each new object for 7 days', ''],
    ['another owner', OWN, writer, 'can belong to another account (ObjectWriter)', ''],
    ['versions off', OURS, suspended, 'keeps no versions, and keepsVersionsDays is 30', ''],
    [
      'versions on',
      { ...OURS, keepsVersionsDays: undefined } as never,
      async () => {},
      'keeps versions, which is not declared',
      '',
    ],
    [
      'a key',
      OWN,
      encrypted('aws:kms', KEY),
      `is encrypted with ${KEY}, which is not declared`,
      '',
    ],
    [
      'archiving',
      OWN,
      () =>
        rules(ABORTING, {
          Filter: { Prefix: 'files/' },
          Transitions: [{ Days: 9, StorageClass: 'DEEP_ARCHIVE' }],
        }),
      'archives objects (rule rule 1)',
      '',
    ],
    [
      'ageing of one tenant',
      OWN,
      () => rules(ABORTING, { Filter: { Prefix: 'files/acme/' }, Expiration: { Days: 9 } }),
      'removes objects by age (rule rule 1)',
      '',
    ],
    [
      'uploads of a few',
      OWN,
      () => rules({ ...ABORTING, Filter: { Prefix: 'files/acme/' } }),
      'keeps open uploads for ever',
      '',
    ],
  ])('%s is found, and nothing else', async (_name, part, change, says, also) => {
    await change();
    const [one, ...others] = await found(part);
    expect(others).toEqual([]);
    expect(one).toMatchObject({ ok: false, fix: expect.stringMatching(/\w/) });
    expect(one?.says).toContain(says);
    expect(one?.says).toContain(also);
  });

  test('a key that is declared and not there is found', async () => {
    const [one] = await found(OWN, { key: KEY });
    expect(one?.says).toContain(`with a key that AWS keeps (AES256), and not with ${KEY}`);
  });
});

test.each<[string, S3Part, Change, Partial<DeclaredBucket>]>([
  ['a replication that is switched off', OWN, () => replicated('Disabled'), {}],
  ['the declared key, by its ARN', OWN, encrypted('aws:kms', KEY), { key: KEY }],
  ['the declared key, by its id', OWN, encrypted('aws:kms', 'k-1'), { key: KEY }],
  ["the account's own key", OWN, encrypted('aws:kms'), {}],
  [
    'a rule beside the prefixes',
    OWN,
    () => rules(ABORTING, { Filter: { Prefix: 'logs/' }, Expiration: { Days: 1 } }),
    {},
  ],
  ['versions of their own', OWN, suspended, {}],
])('%s is no fault', async (_, part, change, more) => {
  await change();
  expect(await found(part, more)).toMatchObject([{ ok: true }]);
});

test('versions that only a device can delete are a fault', () => {
  const [one] = bucketFound(declared(OWN), {
    state: 'there',
    form: {
      versioning: 'Enabled',
      hasMfaDelete: true,
      encryption: { SSEAlgorithm: 'AES256' },
      isPrivate: true,
      isLockable: false,
      ownership: 'BucketOwnerEnforced',
      replication: [],
      notified: [],
      lifecycle: [{ Status: 'Enabled', ...ABORTING }],
    },
  });
  expect(one?.says).toBe('the bucket of documents lets versions be deleted only with MFA');
});

test('parts that share a bucket are named together', () => {
  const thumbs: S3Part = { ...OWN, name: 'thumbs', prefix: 'thumbs/{tenant}/' };
  const [one] = bucketFound(declared(OWN, { parts: [OWN, thumbs] }), { state: 'missing' });
  expect(one?.says).toContain('of documents, thumbs');
});

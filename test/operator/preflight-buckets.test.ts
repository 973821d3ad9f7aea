/** What `preflight` says of buckets: the vendor's own, and names of ours that are taken. */
import {
  CreateBucketCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
  type S3Client,
  type ServerSideEncryptionByDefault,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import type { S3Part } from '../../lambdas/domain/datasets/s3-part.ts';
import { defined } from '../../lambdas/domain/defined.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { residency as configured } from '../../residency.config.ts';
import { ACCOUNT } from '../support/aws/account.ts';
import { type Preflight, startPreflight } from '../support/preflight.ts';

const DOCUMENTS: S3Part = {
  kind: 's3',
  name: 'documents',
  policy: 'move',
  prefix: '{tenant}/',
  versions: 'current',
};
const LOGOS: S3Part = { ...DOCUMENTS, name: 'logos', bucket: (realm) => `logos-${realm}` };
const residency: Residency = {
  ...configured,
  otherWritersSeconds: 0,
  parts: [...configured.parts.filter(({ kind }) => kind === 'dynamodb'), DOCUMENTS, LOGOS],
};
const OUR_NAME = 'residency-prod-us-documents-123456789012-us-east-1';

let preflight: Preflight;
beforeAll(async () => {
  preflight = await startPreflight();
});
beforeEach(() => preflight.reset());
afterAll(() => preflight[Symbol.asyncDispose]());

async function made(region: string, Bucket: string) {
  const s3 = preflight.objects(region);
  await s3.send(new CreateBucketCommand({ Bucket }));
  const rule = { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } };
  await s3.send(
    new PutBucketLifecycleConfigurationCommand({
      Bucket,
      LifecycleConfiguration: { Rules: [{ Status: 'Enabled', Prefix: '', ...rule }] },
    }),
  );
  s3.destroy();
}
const found = () => preflight.run(residency, '--realms', 'us,de');

test('own buckets that are not there are named, and those of ours are no fault', async () => {
  const { wrong } = await found();
  expect(wrong.map(({ realm, check, says }) => [realm, check, says])).toEqual([
    ['us', 'own buckets', 'there is no bucket logos-us, of logos'],
    ['de', 'own buckets', 'there is no bucket logos-de, of logos'],
  ]);
});

test('own buckets are looked at, each in its region', async () => {
  await made('us-east-1', 'logos-us');
  await made('us-east-1', 'logos-de');
  const { checks, wrong } = await found();
  expect(
    checks.find(({ realm, check }) => realm === 'us' && check === 'own buckets'),
  ).toMatchObject({
    ok: true,
    says: 'logos: private, without versions, encrypted by AES256, in us-east-1',
  });
  expect(wrong).toMatchObject([
    {
      realm: 'de',
      check: 'own buckets',
      says: 'the bucket logos-de of logos is in us-east-1, and realm de is in eu-central-1',
    },
  ]);
});

test('credentials that may not look at a bucket are told so', async () => {
  preflight.aws.account.denied.add('s3:GetReplicationConfiguration');
  const { wrong } = await found();
  expect(wrong.find(({ realm }) => realm === 'us')).toMatchObject({
    check: 'own buckets',
    says: expect.stringContaining('these credentials may not look'),
    fix: expect.stringContaining('docs/deploy.md'),
  });
});

test('a name of ours that any account has is taken', async () => {
  await made('eu-central-1', OUR_NAME);
  const { wrong } = await found();
  const names = wrong.filter(({ check }) => check === 'names');
  expect(names).toMatchObject([{ realm: 'us' }]);
  expect(names[0]?.says).toContain(`are in use: bucket ${OUR_NAME}`);
});

const REGION = { us: 'us-east-1', de: 'eu-central-1' } as const;
const key = (region: string) => `arn:aws:kms:${region}:${ACCOUNT}:key/own`;
let pairs = 0;

/** Two own buckets, one in each realm, and the configuration that declares them. */
async function ownPair(keyFor?: S3Part['encryptionKeyArn']) {
  pairs += 1;
  const bucketOf = (realm: string) => `pair-${pairs}-${realm}`;
  for (const [realm, region] of Object.entries(REGION)) await made(region, bucketOf(realm));
  const own: S3Part = {
    ...LOGOS,
    bucket: bucketOf,
    ...defined({ encryptionKeyArn: keyFor }),
  };
  return {
    async change(realm: keyof typeof REGION, send: (s3: S3Client, Bucket: string) => unknown) {
      const s3 = preflight.objects(REGION[realm]);
      await send(s3, bucketOf(realm));
      s3.destroy();
    },
    found: () =>
      preflight.run(
        { ...residency, parts: [...tablesOf(residency.parts), own] },
        '--realms',
        'us,de',
      ),
  };
}
const encrypt = (by: ServerSideEncryptionByDefault) => (s3: S3Client, Bucket: string) =>
  s3.send(
    new PutBucketEncryptionCommand({
      Bucket,
      ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault: by }] },
    }),
  );

describe('the key of an own bucket', () => {
  const account = { AWS: `arn:aws:iam::${ACCOUNT}:root` };
  const OURS = `arn:aws:iam::${ACCOUNT}:role/residency-prod-*`;
  const via = (service: string, actions: readonly string[], roles = OURS) => ({
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: actions.map((action) => `kms:${action}`),
        Condition: {
          StringEquals: {
            'kms:ViaService': `${service}.us-east-1.amazonaws.com`,
            'kms:CallerAccount': ACCOUNT,
          },
          ArnLike: { 'aws:PrincipalArn': roles },
        },
      },
    ],
  });
  const open = { Statement: [{ Effect: 'Allow', Principal: account, Action: 'kms:*' }] };

  /** Both buckets are encrypted, and the key of `us` has this policy; `undefined`: it is gone. */
  async function found(policy: object | undefined, state = 'Enabled', isDeclared = true) {
    const pair = await ownPair(
      isDeclared ? (realm) => key(realm === 'us' ? REGION.us : REGION.de) : undefined,
    );
    const entry = { state: 'Enabled', manager: 'CUSTOMER' } as const;
    preflight.region(REGION.de).keys = { [key(REGION.de)]: { ...entry, policy: open } };
    preflight.region(REGION.us).keys =
      policy === undefined ? {} : { [key(REGION.us)]: { ...entry, state, policy } };
    for (const realm of ['us', 'de'] as const)
      await pair.change(
        realm,
        encrypt({ SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key(REGION[realm]) }),
      );
    return pair.found();
  }

  test.each<[string, object, string]>([
    ['the account’s own policies decide', open, 'lets our roles use it'],
    [
      'our roles may use it through S3',
      via('s3', ['Decrypt', 'GenerateDataKey']),
      'lets our roles',
    ],
    [
      'AWS has to decide, which is said',
      {
        Statement: [
          { ...open.Statement[0], Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } } },
        ],
      },
      'has a policy with conditions that only AWS can decide',
    ],
  ])('is fine where %s', async (_, policy, says) => {
    const { checks, wrong } = await found(policy);
    expect(wrong).toEqual([]);
    const ofKeys = checks.filter(({ check }) => check === 'own keys');
    expect(ofKeys.map(({ realm }) => realm)).toEqual(['us', 'de']);
    expect(ofKeys[0]?.says).toContain(`bucket pair-${pairs}-us`);
    expect(ofKeys[0]?.says).toContain(says);
  });

  const WRITER = /does not let [^:]*residency-prod-us-copy-range/;
  test.each<[string, object, RegExp]>([
    ['only DynamoDB may use it for us', via('dynamodb', ['*']), WRITER],
    ['it gives no data keys', via('s3', ['Decrypt', 'DescribeKey', 'Encrypt']), WRITER],
    [
      'the roles of another realm may not read',
      via('s3', ['*'], OURS.replace('prod-', 'prod-us-')),
      /does not let residency-prod-de-/,
    ],
  ])('is found where %s', async (_, policy, says) => {
    const { wrong } = await found(policy);
    expect(wrong).toMatchObject([{ realm: 'us', check: 'own keys' }]);
    expect(wrong[0]?.says).toMatch(says);
    expect(wrong[0]?.says).toContain(`use it for the bucket pair-${pairs}-us`);
    expect(wrong[0]?.fix).toContain(
      'the actions kms:Decrypt, kms:GenerateDataKey, kms:ViaService s3.us-east-1.amazonaws.com',
    );
  });

  test('is asked for data keys by the roles alone that write objects', async () => {
    const { wrong } = await found(via('s3', ['Decrypt']));
    const writers = ['copy-ahead-range', 'copy-range', 'restore-source-range'];
    expect(wrong[0]?.says).toContain(
      `does not let ${writers.map((one) => `residency-prod-us-${one}`).join(', ')} use it`,
    );
  });

  test('is found where it is switched off, or gone', async () => {
    expect((await found(open, 'PendingDeletion')).wrong[0]?.says).toContain(
      `of the bucket pair-${pairs}-us is PendingDeletion`,
    );
    expect((await found(undefined)).wrong[0]).toMatchObject({
      says: `the key ${key(REGION.us)} of the bucket pair-${pairs}-us is not there`,
      fix: expect.stringContaining('can be read no more'),
    });
  });

  test('is found once where it is not declared', async () => {
    const { wrong } = await found(via('dynamodb', ['*']), 'Enabled', false);
    expect(wrong.map(({ realm, check }) => [realm, check])).toEqual([
      ['us', 'own buckets'],
      ['de', 'own buckets'],
    ]);
  });
});

describe('the own buckets of a part', () => {
  const versioned = (s3: S3Client, Bucket: string) =>
    s3.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    );
  const lockable = async (s3: S3Client, Bucket: string) => {
    await versioned(s3, Bucket);
    await s3.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' },
      }),
    );
  };
  const told = (region: string) => (s3: S3Client, Bucket: string) =>
    s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket,
        NotificationConfiguration: {
          QueueConfigurations: [
            {
              QueueArn: `arn:aws:sqs:${region}:${ACCOUNT}:changes`,
              Events: ['s3:ObjectCreated:*'],
            },
          ],
        },
      }),
    );

  test('that are alike are fine, where each tells a queue of its region', async () => {
    const pair = await ownPair();
    for (const realm of ['us', 'de'] as const) {
      await pair.change(realm, versioned);
      await pair.change(realm, told(REGION[realm]));
    }
    const { checks, wrong } = await pair.found();
    expect(wrong).toEqual([]);
    expect(
      checks.find(({ realm, check }) => realm === 'all' && check === 'own buckets'),
    ).toMatchObject({
      says: 'the buckets of part logos have the same versions, encryption, locks and notifications',
    });
  });

  type Send = (s3: S3Client, Bucket: string) => unknown;
  test.each<[string, Send, readonly string[], string]>([
    ['versions', versioned, ['versions: kept in us; not kept in de'], 'cannot take back'],
    [
      'a key of AWS',
      encrypt({ SSEAlgorithm: 'aws:kms' }),
      ['encryption: aws:kms with a key that AWS keeps in us; AES256 in de'],
      'leaves the key that it was under',
    ],
    [
      'locks',
      lockable,
      ['versions: kept in us; not kept in de', 'Object Lock: on in us; off in de'],
      'make them alike',
    ],
    [
      'notifications',
      told(REGION.us),
      ['told of changes: sqs in us; nothing in de'],
      'is told by the bucket that the tenant moved to',
    ],
  ])('of which one has %s are found, with what it means', async (_, change, differ, fix) => {
    const pair = await ownPair();
    await pair.change('us', change);
    const { wrong } = await pair.found();
    expect(wrong.map(({ realm, says }) => [realm, says])).toEqual(
      differ.map((aspect) => ['all', `the buckets of part logos differ, ${aspect}`]),
    );
    expect(wrong[0]?.fix).toContain(fix);
  });

  test('of which only one is on a key of the vendor’s are found', async () => {
    const own = key(REGION.us);
    const pair = await ownPair((realm) => (realm === 'us' ? own : undefined));
    const policy = {
      Statement: [
        { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*' },
      ],
    };
    preflight.region(REGION.us).keys = { [own]: { state: 'Enabled', manager: 'CUSTOMER', policy } };
    await pair.change('us', encrypt({ SSEAlgorithm: 'aws:kms', KMSMasterKeyID: own }));
    expect((await pair.found()).wrong.map(({ says }) => says)).toEqual([
      'the buckets of part logos differ, encryption: aws:kms with a key of yours in us; AES256 in de',
    ]);
  });
});

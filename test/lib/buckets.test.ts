/** The buckets of a dataset in the synthesised stacks: private, encrypted, and kept. */
import { describe, expect, test } from 'vitest';
import { tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import type { S3Part } from '../../lambdas/domain/datasets/s3-part.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { URL_SECONDS } from '../../lambdas/sample-app/exports.ts';
import { BUCKET_GRANTS, writesObjects } from '../../lib/bucket-grants.ts';
import { residency as configured } from '../../residency.config.ts';
import { allowedCalls } from '../support/policies.ts';
import { at, listOf, ofType, templatesOf } from '../support/templates.ts';

const part: S3Part = {
  kind: 's3',
  name: 'documents',
  policy: 'move',
  prefix: '{tenant}/',
  versions: 'current',
};
const withBuckets: Residency = {
  ...configured,
  realms: configured.realms.slice(0, 2),
  parts: [
    ...tablesOf(configured.parts),
    part,
    { ...part, name: 'versioned', keepsVersionsDays: 30 },
    {
      ...part,
      name: 'theirs',
      bucket: (realm: string, stage: string) => `theirs-${stage}-${realm}`,
    },
  ],
  otherWritersSeconds: 60,
};

const resourcesOf = (type: string, stage = 'dev') =>
  templatesOf(withBuckets, { stage }).flatMap(({ resources }) =>
    Object.values(resources).filter((resource) => resource.Type === type),
  );

describe('a bucket of ours', () => {
  test('is private, encrypted, and drops uploads that were given up', () => {
    const buckets = resourcesOf('AWS::S3::Bucket');
    expect(buckets).toHaveLength(4);
    const [plain, versioned] = buckets;
    expect(plain?.Properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
        ],
      },
      LifecycleConfiguration: {
        Rules: [{ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }],
      },
    });
    expect(plain?.Properties['VersioningConfiguration']).toBeUndefined();
    expect(versioned?.Properties).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      LifecycleConfiguration: {
        Rules: [{ NoncurrentVersionExpiration: { NoncurrentDays: 30 } }],
      },
    });
  });

  test('is called by realm, account and region, because names of buckets are global', () => {
    const names = resourcesOf('AWS::S3::Bucket').map(({ Properties }) =>
      JSON.stringify(Properties['BucketName']),
    );
    expect(new Set(names).size).toBe(4);
    expect(names[0]).toContain('residency-dev-us-documents-');
    expect(names[0]).toContain('AWS::AccountId');
    expect(names[0]).toContain('-us-east-1');
  });

  test('takes requests over TLS alone', () => {
    const policies = resourcesOf('AWS::S3::BucketPolicy');
    expect(policies).toHaveLength(4);
    for (const { Properties } of policies) {
      const statements = listOf(at(Properties['PolicyDocument'], 'Statement'));
      expect(statements).toContainEqual(
        expect.objectContaining({
          Effect: 'Deny',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      );
    }
  });

  test('is kept with its objects in prod, and nothing empties one in any stage', () => {
    for (const bucket of resourcesOf('AWS::S3::Bucket', 'prod')) {
      expect([bucket.DeletionPolicy, bucket.UpdateReplacePolicy]).toEqual([
        'RetainExceptOnCreate',
        'Retain',
      ]);
    }
    expect(resourcesOf('Custom::S3AutoDeleteObjects')).toEqual([]);
  });
});

test('a URL of the sample app is over before the drain time and the grace time of any realm', () => {
  const environments = templatesOf(configured, { stage: 'prod' })
    .flatMap((template) => ofType(template, 'AWS::Lambda::Function'))
    .map(({ Properties }) => at(Properties, 'Environment', 'Variables'));
  expect(environments.length).toBeGreaterThan(100);
  for (const name of ['DRAIN_SECONDS', 'COMMIT_GRACE_SECONDS'])
    for (const variables of environments)
      expect(Number(at(variables, name))).toBeGreaterThan(URL_SECONDS);
});

test('a function that writes objects on request counts into the drain time', () => {
  expect(writesObjects(BUCKET_GRANTS['sample-app/exports'])).toBe(true);
  expect(writesObjects(BUCKET_GRANTS['hooks/start'])).toBe(false);
  expect(writesObjects(BUCKET_GRANTS['tasks/measure'])).toBe(false);
});

test('a part that is granted by name must be declared, and another bucket is not granted', () => {
  const withoutDocuments = {
    ...withBuckets,
    parts: withBuckets.parts.filter((one) => one.name !== 'documents'),
  };
  expect(() => templatesOf(withoutDocuments)).toThrow(
    'lib/bucket-grants.ts grants the part documents, which residency.config.ts does not declare as a bucket',
  );
  const granted = templatesOf(withBuckets)
    .flatMap(allowedCalls)
    .filter(({ entry, action }) => entry === 'sample-app/exports' && action.startsWith('s3:'));
  expect(new Set(granted.map(({ action }) => action))).toEqual(
    new Set(['s3:GetObject', 's3:PutObject']),
  );
  for (const { resource } of granted)
    expect(resource).toMatch(/^arn:aws:s3:::residency-dev-(us|de)-documents-[^*]+\/\*$/);
});

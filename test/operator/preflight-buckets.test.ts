/** What `preflight` says of buckets: the vendor's own, and names of ours that are taken. */
import { CreateBucketCommand, PutBucketLifecycleConfigurationCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { S3Part } from '../../lambdas/domain/datasets/s3-part.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { residency as configured } from '../../residency.config.ts';
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

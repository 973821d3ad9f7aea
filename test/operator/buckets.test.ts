/**
 * The operators' commands on a dataset with buckets: what they find, and that the role
 * operator-read allows every call that they make, and nothing else on a bucket.
 */
import {
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { S3Part } from '../../lambdas/domain/datasets/s3-part.ts';
import { regionOf } from '../../lambdas/domain/realm.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import type { OperatorCall } from '../../lib/operator/clients.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import type { Buckets } from '../support/objects.ts';
import { asked, refusedTo } from '../support/operator-calls.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { allowedToRole } from '../support/operator-roles.ts';
import { type RealmTemplate, templatesOf } from '../support/templates.ts';
import { FEWER_SHARDS, startWorld, type World } from '../support/world.ts';

const DOCUMENTS: S3Part = {
  kind: 's3',
  name: 'documents',
  policy: 'move',
  prefix: '{tenant}/',
  versions: 'current',
  keepsVersionsDays: 30,
};
const { keepsVersionsDays: _, ...AS_IT_IS } = DOCUMENTS;
const LOGOS: S3Part = {
  ...AS_IT_IS,
  name: 'logos',
  prefix: 'logos/{tenant}/',
  bucket: (realm, stage) => `exporter-logos-${stage}-${realm}`,
};
const configured: Residency = {
  ...FEWER_SHARDS,
  realms: FEWER_SHARDS.realms.filter(({ realm }) => realm === 'us' || realm === 'de'),
  otherWritersSeconds: 0,
  parts: [...FEWER_SHARDS.parts.filter(({ kind }) => kind === 'dynamodb'), DOCUMENTS, LOGOS],
};

const calls: OperatorCall[] = [];
let world: World;
let residency: OperatorCommand;
let documents: Buckets;
let logos: Buckets;
const clients = new Map<string, S3Client>();
beforeAll(async () => {
  const port = await freeTcpPorts();
  world = await startWorld({ port, residency: configured });
  residency = operatorCommand(port, configured, (call) => calls.push(call));
  const client = (realm: string) => {
    const region = regionOf(configured.realms, realm);
    const made =
      clients.get(realm) ??
      new S3Client({
        endpoint: world.host.s3Url ?? '',
        region,
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      });
    clients.set(realm, made);
    return made;
  };
  const region = (realm: string) => regionOf(configured.realms, realm);
  documents = {
    client,
    bucket: (realm) => `residency-local-${realm}-documents-000000000000-${region(realm)}`,
  };
  logos = { client, bucket: (realm) => `exporter-logos-local-${realm}` };
});
afterAll(async () => {
  for (const client of clients.values()) client.destroy();
  await world[Symbol.asyncDispose]();
});

interface Row {
  readonly realm: string;
  readonly check: string;
  readonly ok: boolean;
  readonly says: string;
}
const checksOf = (report: unknown, check: string): readonly Row[] =>
  Object(report).checks.filter((one: Row) => one.check === check);

describe('doctor', () => {
  test('sees the form of each bucket, and that all is well', async () => {
    const { code, report } = await residency.json('doctor');
    expect(checksOf(report, 'buckets')).toMatchObject([
      {
        realm: 'us',
        ok: true,
        says: 'documents: private, versioned, encrypted by AES256, in us-east-1',
      },
      { realm: 'us', ok: true, says: expect.stringContaining('logos: private, without versions') },
      { realm: 'de', ok: true },
      { realm: 'de', ok: true },
    ]);
    expect(code).toBe(0);
  });

  test('names each bucket that is not as declared, and what to do', async () => {
    await documents.client('de').send(
      new PutBucketVersioningCommand({
        Bucket: documents.bucket('de'),
        VersioningConfiguration: { Status: 'Suspended' },
      }),
    );
    const access = (isBlocked: boolean) =>
      logos.client('us').send(
        new PutPublicAccessBlockCommand({
          Bucket: logos.bucket('us'),
          PublicAccessBlockConfiguration: {
            BlockPublicAcls: isBlocked,
            BlockPublicPolicy: true,
            IgnorePublicAcls: true,
            RestrictPublicBuckets: true,
          },
        }),
      );
    await access(false);
    const { code, stdout } = await residency('doctor');
    expect(code).toBe(1);
    expect(stdout).toContain(
      '✗ us, buckets: block all four kinds of it, on exporter-logos-local-us',
    );
    expect(stdout).toContain('keeps no versions, and keepsVersionsDays is 30');
    await access(true);
    await documents.client('de').send(
      new PutBucketVersioningCommand({
        Bucket: documents.bucket('de'),
        VersioningConfiguration: { Status: 'Enabled' },
      }),
    );
    expect((await residency.json('doctor')).code).toBe(0);
  });
});

describe('the role operator-read', () => {
  const templates: RealmTemplate[] = [];
  beforeAll(async () => {
    templates.push(...templatesOf(configured, { stage: 'local' }));
    for (const args of [['audit'], ['audit', '--all'], ['doctor', '--tenant', 'acme']])
      await residency(...args);
  });

  test('allows every call of doctor and audit', () => {
    expect(refusedTo('operator-read', calls, templates)).toEqual([]);
  });

  test('may do nothing else to a bucket, and nothing at all to an object', () => {
    const used = new Set(
      calls.filter(({ service }) => service === 's3').map((call) => asked(call).action),
    );
    for (const template of templates) {
      const allowed = allowedToRole(template, 'operator-read').filter(({ action }) =>
        action.startsWith('s3:'),
      );
      expect(new Set(allowed.map(({ action }) => action))).toEqual(used);
      expect(allowed.filter(({ resource }) => resource.includes('/'))).toEqual([]);
    }
  });
});

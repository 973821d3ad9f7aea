/**
 * The operators' commands on a dataset with buckets: what they find, and that the role
 * operator-read allows every call that they make, and nothing else on a bucket.
 */
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { S3Part } from '../../lambdas/domain/datasets/s3-part.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import type { OperatorCall } from '../../lib/operator/clients.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type Buckets, bucketsIn, put } from '../support/objects.ts';
import { asked, refusedTo } from '../support/operator-calls.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { allowedToRole } from '../support/operator-roles.ts';
import { DOCUMENTS } from '../support/s3-part-kind-host.ts';
import { type RealmTemplate, templatesOf } from '../support/templates.ts';
import { FEWER_SHARDS, startWorld, type World } from '../support/world.ts';

const KEPT: S3Part = { ...DOCUMENTS, keepsVersionsDays: 30 };
const LOGOS: S3Part = {
  ...DOCUMENTS,
  name: 'logos',
  prefix: 'logos/{tenant}/',
  bucket: (realm, stage) => `exporter-logos-${stage}-${realm}`,
};
const configured: Residency = {
  ...FEWER_SHARDS,
  realms: FEWER_SHARDS.realms.filter(({ realm }) => realm === 'us' || realm === 'de'),
  otherWritersSeconds: 0,
  parts: [...FEWER_SHARDS.parts.filter(({ kind }) => kind === 'dynamodb'), KEPT, LOGOS],
};

const calls: OperatorCall[] = [];
let world: World;
let residency: OperatorCommand;
/** Commands that the role operator-read does not allow. */
let acting: OperatorCommand;
let documents: Buckets;
let logos: Buckets;
beforeAll(async () => {
  const port = await freeTcpPorts();
  world = await startWorld({ port, residency: configured });
  residency = operatorCommand(port, configured, (call) => calls.push(call));
  acting = operatorCommand(port, configured);
  documents = bucketsIn(world.host, 'documents');
  logos = { client: documents.client, bucket: (realm) => `exporter-logos-local-${realm}` };
});
afterAll(async () => {
  for (const realm of ['us', 'de']) documents.client(realm).destroy();
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

interface Found {
  readonly kind: string;
  readonly realm: string;
  readonly tenant?: string;
  readonly part?: string;
  readonly items?: number;
  readonly says: string;
}
const findingsOf = (report: unknown): readonly Found[] => Object(report).findings;

describe('audit', () => {
  test('finds old versions, delete markers and open uploads of a tenant that has moved', async () => {
    const site = await world.installed('gone');
    await put(documents, 'us', 'gone/report');
    await put(documents, 'us', 'gone/report', { Body: 'second version' });
    await world.moved(site, 1, 'DE');
    await expect.poll(() => world.receipt('us', 'gone', 1)).toMatchObject({ state: 'committed' });
    expect(findingsOf((await residency.json('audit')).report)).toEqual([]);

    const late = { Bucket: documents.bucket('us'), Key: 'gone/late' };
    await put(documents, 'us', late.Key);
    await documents.client('us').send(new DeleteObjectCommand(late));
    await logos
      .client('us')
      .send(
        new CreateMultipartUploadCommand({ Bucket: logos.bucket('us'), Key: 'logos/gone/open' }),
      );
    const says =
      'it has old versions, delete markers or open uploads here, where its record is moved';
    const found = ['documents', 'logos'].map((part) => ({
      kind: 'versions-without-active-record',
      realm: 'us',
      tenant: 'gone',
      part,
      items: 0,
      says,
    }));
    for (const args of [[], ['--tenant', 'gone'], ['--all']]) {
      const { code, report } = await residency.json('audit', ...args);
      expect([code, findingsOf(report)], args.join(' ')).toEqual([
        1,
        expect.arrayContaining(found),
      ]);
      expect(findingsOf(report)).toHaveLength(2);
    }
    const { stdout } = await residency('audit', '--all');
    expect(stdout).toContain(
      'documents, logos: every prefix, with old versions, delete markers and open uploads',
    );
  });

  test('of everything finds prefixes of tenants that no realm knows, and keys of no prefix', async () => {
    await put(documents, 'de', 'stranger/a');
    await put(documents, 'de', 'stranger/b');
    await documents
      .client('de')
      .send(new CreateMultipartUploadCommand({ Bucket: documents.bucket('de'), Key: 'begun/a' }));
    await put(documents, 'de', 'readme.txt');
    await put(logos, 'de', 'other/acme/a');
    const { report } = await residency.json('audit', '--all');
    const inDe = findingsOf(report).filter(({ realm }) => realm === 'de');
    const about = (part: string, tenant: string, items: number, says: string) =>
      expect.objectContaining({ part, tenant, items, says });
    expect(inDe).toHaveLength(4);
    expect(inDe).toEqual(
      expect.arrayContaining([
        about('documents', 'stranger', 2, 'it has items here, and no record'),
        about(
          'documents',
          'begun',
          0,
          'it has old versions, delete markers or open uploads here, and no record',
        ),
        about(
          'documents',
          '(keys without a prefix)',
          1,
          'no declared template makes such a key: a move leaves its items behind',
        ),
        about(
          'logos',
          'other/',
          1,
          'no declared template makes such a key: a move leaves its items behind',
        ),
      ]),
    );
  });
});

describe('a bucket with keys that are not declared', () => {
  test('is found by doctor and a plain audit, with the form of its keys and no data', async () => {
    await put(documents, 'de', 'jane/jane.doe7@example.org.pdf');
    const [doctor, audit] = [await residency.json('doctor'), await residency.json('audit')];
    const [check] = checksOf(doctor.report, 'keys').filter(({ realm }) => realm === 'de');
    expect(check).toMatchObject({
      ok: false,
      says: expect.stringMatching(/part documents: 3 of 4 keys in the sample belong to no tenant/),
    });
    expect(check?.says).toContain('1 of them are made by no declared template');
    expect(check?.says).toContain('part logos: 1 of 1 keys in the sample');
    expect(findingsOf(audit.report)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'keys-of-no-tenant', realm: 'de', part: 'documents' }),
        expect.objectContaining({ kind: 'keys-of-no-tenant', realm: 'de', part: 'logos' }),
      ]),
    );
    for (const { report } of [doctor, audit]) {
      expect(JSON.stringify(report)).toContain('xxxx/xxxx.xxx9@xxxxxxx.xxx.xxx');
      expect(JSON.stringify(report)).not.toContain('jane');
    }
  });

  test('with look-alikes of a tenant, of which it holds nothing, is an error', async () => {
    const site = await world.installed('initech', 'de');
    await world.fill('initech', 'de', 1);
    await put(documents, 'de', 'tenants/initech/report.pdf');
    const says =
      "it holds nothing of this tenant under its declared keys, and its bucket has keys that look like the tenant's, such as ";
    const [doctor, rehearsal] = [
      await residency.json('doctor', '--tenant', 'initech'),
      await acting.json('rehearse', 'initech', '--to', 'us'),
    ];
    const [check] = checksOf(doctor.report, 'tenant').filter(({ realm }) => realm === 'de');
    expect(check).toMatchObject({
      ok: false,
      says: `part documents in de: ${says}xxxxxxx/{tenant}/xxxxxx.xxx`,
    });
    expect(rehearsal).toMatchObject({
      code: 1,
      report: {
        obstacles: expect.arrayContaining([
          `part documents in de: ${says}xxxxxxx/{tenant}/xxxxxx.xxx`,
        ]),
      },
    });
    const { report } = await acting.json('scan');
    const scanned = Object(report).tenants.find(
      ({ tenant }: { readonly tenant: string }) => tenant === 'initech',
    );
    expect(scanned.obstacles).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          kind: 'undeclared-keys',
          says: expect.stringContaining('part documents:'),
        }),
      ]),
    );
    expect(site.clientKey).toBe('initech');
  });
});

test('a smoke test moves objects of each bucket, the own one too', async () => {
  const args = ['smoke', '--from', 'us', '--to', 'de', '--items', '2', '--yes'];
  const { code, stdout } = await acting(...args);
  expect(stdout).toMatch(/✓ \d+ items and 4 objects in \d parts of us/);
  expect(stdout).toContain('✓ moved us → de, rolled back de → us, every item as it was');
  expect(code).toBe(0);
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

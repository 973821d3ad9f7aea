/** Whole moves of a dataset with a bucket: objects and items go together, or stay together. */
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { S3Part } from '../../lambdas/domain/datasets/s3-part.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { type Buckets, bucketsIn, everythingIn, put, putInParts } from '../support/objects.ts';
import { allowedCalls } from '../support/policies.ts';
import { callRecorder } from '../support/recorded-calls.ts';
import { s3Needs } from '../support/s3-actions.ts';
import { DOCUMENTS } from '../support/s3-part-kind-host.ts';
import { templatesOf } from '../support/templates.ts';
import { FEWER_SHARDS, startWorld, type World } from '../support/world.ts';

const KEPT: S3Part = { ...DOCUMENTS, keepsVersionsDays: 30 };
const THUMBNAILS: S3Part = {
  ...KEPT,
  name: 'thumbnails',
  policy: 'drop',
  prefix: 'thumbs/{tenant}/',
};
const residency: Residency = {
  ...FEWER_SHARDS,
  parts: [...FEWER_SHARDS.parts, KEPT, THUMBNAILS],
};

const KEYS = [
  '',
  'report.txt',
  'a b+c%20d',
  '🦉/ü',
  'a//b/',
  'secret-name',
  'x'.repeat(1_024 - 'objects/'.length),
];
const MB = 1024 ** 2;

const recorder = callRecorder();
let world: World;
let documents: Buckets;
let thumbnails: Buckets;
beforeAll(async () => {
  world = await startWorld({ residency, onCall: recorder.onCall });
  documents = bucketsIn(world.host, 'documents');
  thumbnails = bucketsIn(world.host, 'thumbnails');
});
afterAll(async () => {
  for (const { client } of [documents, thumbnails])
    for (const { realm } of residency.realms) client(realm).destroy();
  await world[Symbol.asyncDispose]();
});

async function filled(tenant: string): Promise<void> {
  await world.fill(tenant, 'us', 10);
  for (const key of KEYS)
    await put(documents, 'us', `${tenant}/${key}`, {
      Body: key === '' ? new Uint8Array() : `of ${key}`,
      ContentType: 'text/plain',
      CacheControl: 'no-cache',
      Metadata: { of: tenant },
      Tagging: 'kind=report',
    });
  await put(documents, 'us', `${tenant}/report.txt`, { Body: 'the second version' });
  await put(documents, 'us', `${tenant}/deleted`);
  await documents
    .client('us')
    .send(new DeleteObjectCommand({ Bucket: documents.bucket('us'), Key: `${tenant}/deleted` }));
  await put(thumbnails, 'us', `thumbs/${tenant}/a`);
}

/** Versions, delete markers and open uploads. */
async function leftIn(buckets: Buckets, realm: string, prefix: string): Promise<number> {
  const place = { Bucket: buckets.bucket(realm), Prefix: prefix };
  const client = buckets.client(realm);
  const { Versions = [], DeleteMarkers = [] } = await client.send(
    new ListObjectVersionsCommand(place),
  );
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(place));
  return Versions.length + DeleteMarkers.length + Uploads.length;
}

describe('a tenant with objects', () => {
  test('takes every object along as it is, and leaves no version of one behind', async () => {
    const site = await world.installed('objects');
    await filled('objects');
    await putInParts(documents, 'us', 'objects/large', [5 * MB, 1], {
      ChecksumAlgorithm: 'SHA256',
    });
    await documents.client('us').send(
      new CreateMultipartUploadCommand({
        Bucket: documents.bucket('us'),
        Key: 'objects/never completed',
      }),
    );
    await put(documents, 'us', 'objects-10/a');
    const [items, before] = [
      await world.items('objects', 'us'),
      await everythingIn(documents, 'us', 'objects/'),
    ];
    expect(before).toHaveLength(KEYS.length + 1);

    await world.moved(site, 1, 'DE');

    expect(await world.items('objects', 'de')).toEqual(items);
    expect(await everythingIn(documents, 'de', 'objects/')).toEqual(before);
    expect(await leftIn(documents, 'us', 'objects/')).toBe(0);
    expect(await leftIn(thumbnails, 'us', 'thumbs/objects/')).toBe(0);
    expect(await leftIn(thumbnails, 'de', '')).toBe(0);
    expect(await leftIn(documents, 'us', 'objects-10/')).toBe(1);
    await expect
      .poll(() => world.receipt('us', 'objects', 1))
      .toMatchObject({
        state: 'committed',
        checksums: { documents: { items: KEYS.length + 1 } },
        provenEmpty: { ranges: expect.arrayContaining(['documents/00', 'thumbnails/00']) },
      });
    expect(JSON.stringify(await world.receipt('us', 'objects', 1))).toContain(
      `arn:aws:s3:::${documents.bucket('de')}`,
    );
    expect(world.lines.join('\n')).not.toContain('secret-name');
  });

  test('comes back with what was written there, when a committed move is rolled back', async () => {
    const site = await world.installed('returns');
    await filled('returns');
    await world.moved(site, 2, 'DE');
    await put(documents, 'de', 'returns/report.txt', {
      Body: 'written in de',
      Metadata: { is: 'new' },
    });
    await put(documents, 'de', 'returns/new in de');
    await documents
      .client('de')
      .send(
        new DeleteObjectTaggingCommand({ Bucket: documents.bucket('de'), Key: 'returns/a//b/' }),
      );
    await putInParts(documents, 'de', 'returns/large', [5 * MB, 1], {
      ChecksumAlgorithm: 'SHA256',
    });
    await documents
      .client('de')
      .send(
        new DeleteObjectCommand({ Bucket: documents.bucket('de'), Key: 'returns/secret-name' }),
      );
    const there = await everythingIn(documents, 'de', 'returns/');
    expect((await world.hook(site, 'rollback', 2)).status).toBe(200);
    await expect
      .poll(() => world.migration('us', 'returns', 2))
      .toMatchObject({ status: 'rolled-back' });
    expect(await everythingIn(documents, 'us', 'returns/')).toEqual(there);
    expect(await leftIn(documents, 'de', 'returns/')).toBe(0);
  });
});

/**
 * What goes on where a worker has died, or makes a target equal that is not empty: the tests of the
 * part kind do both.
 */
const RARE = new Set(
  ['tasks/copy-range', 'tasks/restore-source-range', 'tasks/discard-target-range'].flatMap(
    (entry) =>
      [
        'AbortMultipartUpload',
        'DeleteObject',
        'DeleteObjectTagging',
        'ListMultipartUploadParts',
      ].map((action) => `${entry} s3:${action}`),
  ),
);

test('every function may do with buckets what it did in these moves', () => {
  const templates = new Map(templatesOf(residency).map((one) => [one.realm, one]));
  const realmOf = (bucket: string) => /^arn:aws:s3:::residency-local-([a-z]+)-/.exec(bucket)?.[1];
  const needed = recorder
    .calls()
    .filter(({ action }) => action.startsWith('s3:'))
    .flatMap((call) => s3Needs(call, realmOf(call.resource) === call.realm));
  const said = (one: { entry: string; action: string; resource: string }) =>
    `${one.entry} ${one.action} ${one.resource}`;
  const missing = needed.filter(({ realm, ...call }) => {
    const template = templates.get(realm);
    const resource = call.resource.replace('-local-', '-dev-');
    const allowed = template === undefined ? [] : allowedCalls(template);
    return !allowed.some((one) => said(one) === said({ ...call, resource }));
  });
  expect(missing.map(said)).toEqual([]);
  // A function that touched a bucket was allowed little else.
  const used = new Set(needed.map(({ entry, action }) => `${entry} ${action}`));
  const ran = new Set(needed.map(({ entry }) => entry));
  const unused = new Set(
    [...templates.values()]
      .flatMap(allowedCalls)
      .filter(({ entry, action }) => action.startsWith('s3:') && ran.has(entry))
      .map(({ entry, action }) => `${entry} ${action}`)
      .filter((one) => !used.has(one) && !RARE.has(one)),
  );
  expect([...unused].sort()).toEqual([]);
});

/** Objects that S3 would not copy or delete are seen before a move, and refuse it. */
import { DeleteObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { S3Part } from '../../lambdas/domain/datasets/s3-part.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type Buckets, bucketsIn, put } from '../support/objects.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { FEWER_SHARDS, facts, startWorld, type World } from '../support/world.ts';

const DOCUMENTS: S3Part = {
  kind: 's3',
  name: 'documents',
  policy: 'move',
  prefix: '{tenant}/',
  versions: 'current',
};
const configured: Residency = { ...FEWER_SHARDS, parts: [...FEWER_SHARDS.parts, DOCUMENTS] };
const ARCHIVED =
  'part documents: 1 version of an object is archived: restore and copy it to a storage class that can be read, before the move';

let world: World;
let residency: OperatorCommand;
let client: S3Client;
let documents: Buckets;
beforeAll(async () => {
  const port = await freeTcpPorts();
  world = await startWorld({ port, residency: configured });
  residency = operatorCommand(port, configured);
  documents = bucketsIn(world.host, 'documents');
  client = documents.client('us');
});
afterAll(async () => {
  client.destroy();
  await world[Symbol.asyncDispose]();
});

test('an archived object refuses a schedule, until it is gone and a rehearsal has looked', async () => {
  const site = await world.installed('acme');
  await world.installed('acme-10');
  await put(documents, 'us', 'acme/old', { StorageClass: 'GLACIER' });
  await put(documents, 'us', 'acme-10/old', { StorageClass: 'GLACIER' });

  const rehearsed = await residency.json('rehearse', 'acme', '--to', 'de');
  expect(rehearsed).toMatchObject({ code: 1, report: { obstacles: [ARCHIVED] } });
  const obstacles = [{ kind: 'objects', stops: true, says: ARCHIVED }];
  const scanned = await residency.json('scan');
  expect(scanned).toMatchObject({
    code: 1,
    report: { tenants: ['acme-10', 'acme'].map((tenant) => ({ tenant, obstacles })) },
  });
  const refused = await world.hook(site, 'schedule', 1, facts('DE'));
  expect(refused.status).toBe(400);
  expect(JSON.stringify(refused.body)).toContain(ARCHIVED);

  await client.send(new DeleteObjectCommand({ Bucket: documents.bucket('us'), Key: 'acme/old' }));
  expect(await residency.json('rehearse', 'acme', '--to', 'de')).toMatchObject({
    code: 0,
    report: { obstacles: [] },
  });
  expect((await world.hook(site, 'schedule', 1, facts('DE'))).status).toBe(200);
});

test('a receipt says that objects were counted, and what is left of them', async () => {
  const site = await world.installed('moved');
  await put(documents, 'us', 'moved/a');
  await world.moved(site, 3, 'DE');
  await expect.poll(() => world.receipt('de', 'moved', 3)).toMatchObject({ state: 'committed' });
  const { stdout } = await residency('receipt', 'moved', '3');
  expect(stdout).toMatch(/documents \(objects\) +1 /);
  expect(stdout).toContain(
    'of the objects of documents every version, delete marker and open upload was deleted',
  );
});

test('what is found after the schedule is on record refuses the start, and fences nothing', async () => {
  const site = await world.installed('late');
  await world.scheduled(site, 2);
  await put(documents, 'us', 'late/old', { StorageClass: 'DEEP_ARCHIVE' });
  await residency('rehearse', 'late', '--to', 'de');
  const refused = await world.hook(site, 'start', 2, facts('DE'));
  expect(refused.status).toBe(409);
  expect(JSON.stringify(refused.body)).toContain(ARCHIVED);
  expect(await world.record('late', 'us')).toMatchObject({ state: 'active' });
});

test('a look at what is no tenant is refused, and counts nobody else instead', async () => {
  for (const tenant of [7, '', '#kept#late', null])
    expect(await world.host.invoke('us', 'tasks/measure', { tenant })).toEqual({
      refused: 'the input names no tenant of ours',
    });
});

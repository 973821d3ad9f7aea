/**
 * Moves of large objects whose workers are killed: in mid-part, at the end of a copy, in a purge.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dynamoDbLedger } from '../../lambdas/adapters/records/dynamodb-ledger.ts';
import { systemClock } from '../../lambdas/adapters/system-clock.ts';
import { physicalNames, type Residency } from '../../lambdas/domain/residency.ts';
import { STAGE } from '../../lib/local/host-setup.ts';
import {
  type Buckets,
  bucketsIn,
  everythingIn,
  leftIn,
  put,
  putInParts,
} from '../support/objects.ts';
import { DOCUMENTS } from '../support/s3-part-kind-host.ts';
import { eventually, FEWER_SHARDS, facts, startWorld, type World } from '../support/world.ts';

const residency: Residency = {
  ...FEWER_SHARDS,
  realms: FEWER_SHARDS.realms.filter(({ realm }) => realm === 'us' || realm === 'de'),
  parts: [...FEWER_SHARDS.parts.filter(({ kind }) => kind === 'dynamodb'), DOCUMENTS],
};
/** Bytes instead of megabytes. */
const PART = 400;
const PARTS = 300;

let world: World;
let documents: Buckets;
/** Requests by operation and key. */
const calls: string[] = [];
const countOf = (operation: string, key: string) =>
  calls.filter((call) => call === `${operation} ${key}`).length;
/** By key: resolves when the upload is in a checkpoint. */
const recorded = new Map<string, Promise<void>>();

beforeAll(async () => {
  world = await startWorld({
    residency,
    objectLimits: { singleCopyBytes: 1_000, partBytes: PART, chunkBytes: 100 },
    s3: {
      limits: { copyBytes: 1_000, partBytes: PART },
      // No part arrives before its upload is on record: a death then does not depend on how busy
      // this machine is.
      async onRequest({ operation, key }) {
        calls.push(`${operation} ${key}`);
        if (operation !== 'UploadPartCopy' || !key.endsWith('/large')) return;
        if (!recorded.has(key)) recorded.set(key, uploadIsOnRecord(key));
        await recorded.get(key);
      },
    },
  });
  documents = bucketsIn(world.host, 'documents');
});
afterAll(async () => {
  for (const realm of ['us', 'de']) documents.client(realm).destroy();
  await world[Symbol.asyncDispose]();
});

async function uploadIsOnRecord(key: string): Promise<void> {
  const [tenant = '', name] = key.split('/');
  const { rangeRecords } = dynamoDbLedger({
    clientFor: world.documents,
    tableOf: (realm) => physicalNames(residency, STAGE, realm).migrations,
    clock: systemClock,
  });
  await eventually(async () => {
    const records = await rangeRecords.list('de', { ledger: 'us', tenant, id: '1' });
    return records.some(({ target }) => target?.cursor?.includes(`&key=${name}&`));
  });
}

async function filled(tenant: string): Promise<void> {
  await put(documents, 'us', `${tenant}/a small one`);
  await put(documents, 'us', `${tenant}/large`, {
    Body: Buffer.from(Array.from({ length: PARTS * PART }, (_, at) => at % 251)),
    Metadata: { author: tenant },
    Tagging: 'kind=export',
  });
  await putInParts(documents, 'us', `${tenant}/parts`, [PART, PART, 1], {
    ChecksumAlgorithm: 'SHA256',
  });
  await put(documents, 'us', `${tenant}/z small one`);
}

test.each([
  ['among the first parts', 'first-parts', 'UploadPartCopy', 40, 'copy', 1],
  ['in the middle of the parts', 'mid-part', 'UploadPartCopy', 220, 'copy', 1],
  ['among the last parts', 'last-parts', 'UploadPartCopy', 290, 'copy', 1],
  ['when an upload has begun', 'begun', 'CreateMultipartUpload', 1, 'copy', 2],
  [
    'when an upload is complete, and its answer lost',
    'completed',
    'CompleteMultipartUpload',
    1,
    'copy',
    1,
  ],
  ['in the purge', 'purged', 'DeleteObjects', 1, 'purge-source', 1],
] as const)(
  'a worker that dies %s leaves a move that ends, no part that is copied twice, and no open upload',
  async (_, tenant, command, times, task, uploads) => {
    const site = await world.installed(tenant);
    await filled(tenant);
    const before = await everythingIn(documents, 'us', `${tenant}/`);
    expect(before).toHaveLength(4);
    const deaths: string[] = [];
    world.host.deaths.killNextWorker(tenant, ({ entry }) => deaths.push(entry), {
      commands: [command],
      times,
    });

    await world.scheduled(site, 1);
    await world.hook(site, 'start', 1, facts('DE'));
    await world.until(site, 1, ['ready-to-commit']);
    await world.hook(site, 'commit', 1);
    await world.until(site, 1, ['committed']);

    expect(deaths).toEqual([`tasks/${task}-range`]);
    expect(await everythingIn(documents, 'de', `${tenant}/`)).toEqual(before);
    // The next worker goes on with the upload, and with the parts that it has.
    const large = `${tenant}/large`;
    expect(countOf('CreateMultipartUpload', large)).toBe(uploads);
    expect(countOf('UploadPartCopy', large)).toBe(PARTS);
    expect(countOf('AbortMultipartUpload', large)).toBe(uploads - 1);
    expect(await leftIn(documents, 'de', `${tenant}/`)).toBe(before.length);
    expect(await leftIn(documents, 'us', `${tenant}/`)).toBe(0);
  },
);

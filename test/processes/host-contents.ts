/**
 * What tenants have in a host of another process: fills and reads its tables and its bucket from
 * outside, by the SDK.
 */
import { createHash } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoDbLedger } from '../../lambdas/adapters/records/dynamodb-ledger.ts';
import { systemClock } from '../../lambdas/adapters/system-clock.ts';
import { tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import { regionOf } from '../../lambdas/domain/realm.ts';
import { physicalNames } from '../../lambdas/domain/residency.ts';
import { STAGE } from '../../lib/local/host-setup.ts';
import { startEmbeddedS3 } from '../../lib/local/s3/embedded-s3.ts';
import type { Site } from '../../lib/local/simulated-atlassian.ts';
import { datasetOf, seed } from '../../lib/local/story/dataset.ts';
import { differences, type Snapshot, snapshotOf, tenantState } from '../../lib/snapshots.ts';
import { residency } from '../../residency.config.ts';
import {
  bucketsIn,
  everythingIn,
  leftIn,
  openUploads,
  put,
  putInParts,
} from '../support/objects.ts';
import type { HostProcess } from './host-process.ts';

/** The items of each part in a table. */
export type Holdings = ReadonlyMap<string, Snapshot>;
type Tenant = Pick<Site, 'clientKey'>;

const BUCKET = 'documents';
const names = (realm: string) => physicalNames(residency, STAGE, realm);

export type HostContents = ReturnType<typeof hostContents>;

export function hostContents({ dynamoDbUrl, s3Url }: Pick<HostProcess, 'dynamoDbUrl' | 's3Url'>) {
  const documents = bucketsIn({ residency, s3Url }, BUCKET);
  const clients = new Map<string, DynamoDBClient>();

  /** Repeats long enough for a host that is restarting. */
  function clientIn(realm: string): DynamoDBClient {
    const client =
      clients.get(realm) ??
      new DynamoDBClient({
        region: regionOf(residency.realms, realm),
        endpoint: dynamoDbUrl,
        maxAttempts: 20,
      });
    clients.set(realm, client);
    return client;
  }

  return {
    ledger: dynamoDbLedger({
      clientFor: (realm) => DynamoDBDocumentClient.from(clientIn(realm)),
      tableOf: (realm) => names(realm).migrations,
      clock: systemClock,
    }),

    async settle({ clientKey }: Tenant, items: number): Promise<void> {
      for (const [part, own] of datasetOf(tablesOf(residency.parts), { tenant: clientKey }, items))
        await seed(clientIn('us'), names('us').part(part), own);
    },

    /** Small objects, and a large one where the sizes of its parts are given. */
    async settleObjects(
      { clientKey }: Tenant,
      count: number,
      parts: readonly number[] = [],
    ): Promise<void> {
      for (let number = 0; number < count; number += 1)
        await put(documents, 'us', `${clientKey}/small ${number}`, {
          Metadata: { number: String(number) },
        });
      if (parts.length > 0)
        await putInParts(documents, 'us', `${clientKey}/large`, parts, {
          ChecksumAlgorithm: 'CRC32',
          ChecksumType: 'COMPOSITE',
        });
    },

    /** All that a move keeps; of the bytes a hash, so that a difference can be printed. */
    async objectsOf(realm: string, { clientKey }: Tenant) {
      const found = await everythingIn(documents, realm, `${clientKey}/`);
      return found.map((object) => ({
        ...object,
        bytes: createHash('sha256').update(object.bytes).digest('hex'),
      }));
    },

    /** Versions, delete markers and open uploads. */
    objectsLeft: (realm: string, { clientKey }: Tenant) =>
      leftIn(documents, realm, `${clientKey}/`),

    uploadsOf: (realm: string, { clientKey }: Tenant) =>
      openUploads(documents, realm, `${clientKey}/`),

    async holdings(realm: string, { clientKey }: Tenant): Promise<Holdings> {
      const read = tablesOf(residency.parts).map(
        async (part): Promise<[string, Snapshot]> => [
          part.name,
          await snapshotOf(clientIn(realm), names(realm).part(part), part, { tenant: clientKey }),
        ],
      );
      return new Map(await Promise.all(read));
    },

    stateIn: (realm: string, { clientKey }: Tenant) =>
      tenantState(clientIn(realm), names(realm).tenants, clientKey),
  };
}

/** What a store of our own finds in the files of a host that is down. */
export async function uploadsOnDisk(dataDir: string, realm: string): Promise<number> {
  const region = regionOf(residency.realms, realm);
  const store = await startEmbeddedS3({ port: 0, regions: [region], dataDir });
  const there = bucketsIn({ residency, s3Url: store.url }, BUCKET);
  const found = await openUploads(there, realm);
  there.client(realm).destroy();
  await store.close();
  return found;
}

const partsWith = (policy?: 'move' | 'drop') =>
  tablesOf(residency.parts).filter((part) => policy === undefined || part.policy === policy);

export const differing = (before: Holdings, after: Holdings, policy?: 'move' | 'drop'): number =>
  partsWith(policy)
    .map(({ name }) => differences(before.get(name) ?? new Map(), after.get(name) ?? new Map()))
    .reduce((sum, count) => sum + count, 0);

export const sizeOf = (found: Holdings, policy?: 'move' | 'drop'): number =>
  partsWith(policy).reduce((sum, { name }) => sum + (found.get(name)?.size ?? 0), 0);

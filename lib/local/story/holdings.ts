/**
 * Reads and writes items and objects of the story's tenants in a realm directly, without the app.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import {
  type DynamoDbPart,
  type Part,
  type PartPolicy,
  partitionsOf,
} from '../../../lambdas/domain/datasets/dataset.ts';
import { bucketsOf, tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import type { S3Part } from '../../../lambdas/domain/datasets/s3-part.ts';
import { withCommas } from '../../../lambdas/domain/operating/with-commas.ts';
import { type Realm, regionOf } from '../../../lambdas/domain/realm.ts';
import { physicalNames } from '../../../lambdas/domain/residency.ts';
import { type Left, leftUnder, objectsUnder } from '../../object-snapshots.ts';
import {
  differences,
  installationsOf,
  type Snapshot,
  snapshotOf,
  tenantState,
} from '../../snapshots.ts';
import type { LocalHost } from '../host.ts';
import { ACCOUNT, STAGE } from '../host-setup.ts';
import type { Site } from '../simulated-atlassian.ts';
import { datasetOf, seed } from './dataset.ts';
import { seedObjects } from './objects/documents.ts';
import { CannotBeKeyed, siteValues, tenantOf } from './site-values.ts';

/** What a tenant has in one realm, by part. */
export type Holdings = ReadonlyMap<Part, Snapshot>;

export type StoryRealm = ReturnType<typeof storyRealm>;

export function storyRealm(host: LocalHost, realm: Realm) {
  const { residency, s3Url } = host;
  const tables = tablesOf(residency.parts);
  const buckets = bucketsOf(residency.parts);
  const values = siteValues(host);
  const region = regionOf(residency.realms, realm);
  const client = new DynamoDBClient({ region, endpoint: host.dynamoDbUrl });
  const objects = new S3Client({
    region,
    ...(s3Url !== undefined && { endpoint: s3Url, forcePathStyle: true }),
  });
  const names = physicalNames(residency, STAGE, realm);
  const bucketOf = (part: S3Part) => names.part(part, { account: ACCOUNT, region });
  return {
    realm,
    url: host.urls[realm] ?? '',
    /** Throws `CannotBeKeyed` where keys are made of what the tenant's record cannot know. */
    async seed(site: Site, items: number): Promise<void> {
      const own = await values.introduced(site, realm);
      const dataset = datasetOf(residency.parts, own, items);
      await Promise.all([
        ...[...dataset].map(([part, made]) => seed(client, names.part(part), made)),
        ...buckets.map((part) => seedObjects(objects, bucketOf(part), part, own, items)),
      ]);
    },
    async holdings(site: Site): Promise<Holdings> {
      const own = await values.of(site);
      const read = async (part: Part): Promise<[Part, Snapshot]> => [
        part,
        part.kind === 's3'
          ? await objectsUnder(objects, bucketOf(part), partitionsOf(part, own))
          : await snapshotOf(client, names.part(part), part, own),
      ];
      return new Map(await Promise.all([...tables, ...buckets].map(read)));
    },
    /** What buckets hold of the tenant, older versions included. */
    async left(site: Site): Promise<Left> {
      const own = await values.of(site);
      const all = await Promise.all(
        buckets.map((part) => leftUnder(objects, bucketOf(part), partitionsOf(part, own))),
      );
      const sum = (of: keyof Left) => all.reduce((total, left) => total + left[of], 0);
      return { versions: sum('versions'), markers: sum('markers'), uploads: sum('uploads') };
    },
    /** For reads and writes of single items. */
    tableOf: (part: DynamoDbPart) => ({ client, table: names.part(part) }),
    valuesOf: values.of,
    recordOf: (site: Site) => values.recordIn(realm, site),
    stateOf: (site: Site) => tenantState(client, names.tenants, tenantOf(site)),
    installationsOf: (site: Site) => installationsOf(client, names.tenants, tenantOf(site)),
    close() {
      client.destroy();
      objects.destroy();
      values.close();
    },
  };
}

const ofKind = (holdings: Holdings, kind: Part['kind']): Holdings =>
  new Map([...holdings].filter(([part]) => part.kind === kind));

export const itemsOf = (holdings: Holdings): Holdings => ofKind(holdings, 'dynamodb');
export const objectsOf = (holdings: Holdings): Holdings => ofKind(holdings, 's3');

export const partsWith = (holdings: Holdings, policy?: PartPolicy): readonly Part[] =>
  [...holdings.keys()].filter((part) => policy === undefined || part.policy === policy);

export const sizeOf = (holdings: Holdings, policy?: PartPolicy): number =>
  partsWith(holdings, policy).reduce((sum, part) => sum + (holdings.get(part)?.size ?? 0), 0);

/** `4,002 items`, and where parts are in buckets `4,002 items and 200 objects`. */
export function countsIn(holdings: Holdings, policy?: PartPolicy): string {
  const items = `${withCommas(sizeOf(itemsOf(holdings), policy))} items`;
  const objects = objectsOf(holdings);
  return objects.size === 0 ? items : `${items} and ${withCommas(sizeOf(objects, policy))} objects`;
}

/** How many items and objects of the parts with this policy are missing, extra or changed. */
export const differing = (before: Holdings, after: Holdings, policy?: PartPolicy): number =>
  partsWith(before, policy).reduce(
    (sum, part) => sum + differences(before.get(part) ?? new Map(), after.get(part) ?? new Map()),
    0,
  );

/** Gives a site items and objects. Returns why none can be made up; `undefined` where they were. */
export async function fillUp(
  host: LocalHost,
  site: Site,
  realm: Realm,
  items: number,
): Promise<string | undefined> {
  const store = storyRealm(host, realm);
  try {
    await store.seed(site, items);
    return undefined;
  } catch (error) {
    if (error instanceof CannotBeKeyed) return error.message;
    throw error;
  } finally {
    store.close();
  }
}

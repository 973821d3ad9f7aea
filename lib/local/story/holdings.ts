/** Reads and writes the items of the story's tenants in a realm directly, without the app. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart, PartPolicy } from '../../../lambdas/domain/datasets/dataset.ts';
import { tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import { type Realm, regionOf } from '../../../lambdas/domain/realm.ts';
import { physicalNames } from '../../../lambdas/domain/residency.ts';
import {
  differences,
  installationsOf,
  type Snapshot,
  snapshotOf,
  tenantState,
} from '../../snapshots.ts';
import type { LocalHost } from '../host.ts';
import { STAGE } from '../host-setup.ts';
import type { Site } from '../simulated-atlassian.ts';
import { datasetOf, seed } from './dataset.ts';
import { CannotBeKeyed, siteValues, tenantOf } from './site-values.ts';

/** What a tenant has in one realm, by part. */
export type Holdings = ReadonlyMap<DynamoDbPart, Snapshot>;

export type StoryRealm = ReturnType<typeof storyRealm>;

export function storyRealm(host: LocalHost, realm: Realm) {
  const { residency } = host;
  const parts = tablesOf(residency.parts);
  const values = siteValues(host);
  const client = new DynamoDBClient({
    region: regionOf(residency.realms, realm),
    endpoint: host.dynamoDbUrl,
  });
  const names = physicalNames(residency, STAGE, realm);
  return {
    realm,
    url: host.urls[realm] ?? '',
    /** Throws `CannotBeKeyed` where keys are made of what the tenant's record cannot know. */
    async seed(site: Site, items: number): Promise<void> {
      const dataset = datasetOf(parts, await values.introduced(site, realm), items);
      await Promise.all([...dataset].map(([part, own]) => seed(client, names.part(part), own)));
    },
    async holdings(site: Site): Promise<Holdings> {
      const own = await values.of(site);
      const read = async (part: DynamoDbPart): Promise<[DynamoDbPart, Snapshot]> => [
        part,
        await snapshotOf(client, names.part(part), part, own),
      ];
      return new Map(await Promise.all(parts.map(read)));
    },
    /** For reads and writes of single items. */
    tableOf: (part: DynamoDbPart) => ({ client, table: names.part(part) }),
    valuesOf: values.of,
    recordOf: (site: Site) => values.recordIn(realm, site),
    stateOf: (site: Site) => tenantState(client, names.tenants, tenantOf(site)),
    installationsOf: (site: Site) => installationsOf(client, names.tenants, tenantOf(site)),
    close() {
      client.destroy();
      values.close();
    },
  };
}

export const partsWith = (holdings: Holdings, policy?: PartPolicy): readonly DynamoDbPart[] =>
  [...holdings.keys()].filter((part) => policy === undefined || part.policy === policy);

export const sizeOf = (holdings: Holdings, policy?: PartPolicy): number =>
  partsWith(holdings, policy).reduce((sum, part) => sum + (holdings.get(part)?.size ?? 0), 0);

/** How many items of the parts with this policy are missing, extra or changed. */
export const differing = (before: Holdings, after: Holdings, policy?: PartPolicy): number =>
  partsWith(before, policy).reduce(
    (sum, part) => sum + differences(before.get(part) ?? new Map(), after.get(part) ?? new Map()),
    0,
  );

/** Gives a site items. Returns why none can be made up; `undefined` where they were. */
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

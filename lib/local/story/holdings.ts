/** Reads and writes the items of the story's tenants in a realm directly, without the app. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart, PartPolicy } from '../../../lambdas/domain/datasets/dataset.ts';
import type { KeyValues } from '../../../lambdas/domain/datasets/key-values.ts';
import { tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import { type Realm, regionOf } from '../../../lambdas/domain/realm.ts';
import { physicalNames } from '../../../lambdas/domain/residency.ts';
import { tenantOfInstallation } from '../../../lambdas/domain/tenants/identity.ts';
import { residency } from '../../../residency.config.ts';
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

const PARTS = tablesOf(residency.parts);

/** What a tenant has in one realm, by part. */
export type Holdings = ReadonlyMap<DynamoDbPart, Snapshot>;

export type StoryRealm = ReturnType<typeof storyRealm>;

export function storyRealm(host: LocalHost, realm: Realm) {
  const client = new DynamoDBClient({
    region: regionOf(residency.realms, realm),
    endpoint: host.dynamoDbUrl,
  });
  const names = physicalNames(residency, STAGE, realm);
  const read = async (part: DynamoDbPart, site: Site): Promise<[DynamoDbPart, Snapshot]> => [
    part,
    await snapshotOf(client, names.part(part), part, valuesOf(site)),
  ];
  return {
    realm,
    url: host.urls[realm] ?? '',
    async seed(site: Site, items: number): Promise<void> {
      const dataset = datasetOf(PARTS, valuesOf(site), items);
      await Promise.all([...dataset].map(([part, own]) => seed(client, names.part(part), own)));
    },
    holdings: async (site: Site): Promise<Holdings> =>
      new Map(await Promise.all(PARTS.map((part) => read(part, site)))),
    stateOf: (site: Site) => tenantState(client, names.tenants, tenantOf(site)),
    installationsOf: (site: Site) => installationsOf(client, names.tenants, tenantOf(site)),
    close: () => client.destroy(),
  };
}

/**
 * The app's name for the site: its client key, or its first installation where it came by Forge.
 */
export const tenantOf = ({ clientKey, cameBy, installations }: Site): string =>
  cameBy === 'forge' ? tenantOfInstallation(installations[0] ?? '') : clientKey;

const valuesOf = (site: Site): KeyValues => ({
  tenant: tenantOf(site),
  cloudId: site.cloudId,
  installations: site.installations,
});

export const partsWith = (policy: PartPolicy): readonly DynamoDbPart[] =>
  PARTS.filter((part) => part.policy === policy);

export const sizeOf = (holdings: Holdings, parts: readonly DynamoDbPart[] = PARTS): number =>
  parts.reduce((sum, part) => sum + (holdings.get(part)?.size ?? 0), 0);

/** How many items of these parts are missing, extra or changed. */
export const differing = (
  before: Holdings,
  after: Holdings,
  parts: readonly DynamoDbPart[] = PARTS,
): number =>
  parts.reduce(
    (sum, part) => sum + differences(before.get(part) ?? new Map(), after.get(part) ?? new Map()),
    0,
  );

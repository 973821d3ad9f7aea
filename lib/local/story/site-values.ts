/**
 * What the keys of a site's items are made of, by the tenant's records in all realms; and what a
 * record does not know, brought by an import as a vendor would.
 */
import { createHash } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { namedValues } from '../../../lambdas/domain/datasets/dataset.ts';
import { unknownIn } from '../../../lambdas/domain/datasets/key-placement.ts';
import {
  ANYBODY,
  extended,
  type KeyValues,
  keyValuesOf,
} from '../../../lambdas/domain/datasets/key-values.ts';
import { type Realm, stackRows } from '../../../lambdas/domain/realm.ts';
import { physicalNames } from '../../../lambdas/domain/residency.ts';
import { tenantOfInstallation } from '../../../lambdas/domain/tenants/identity.ts';
import type { TenantRecord } from '../../../lambdas/domain/tenants/tenant.ts';
import type { LocalHost } from '../host.ts';
import { STAGE } from '../host-setup.ts';
import type { Site } from '../simulated-atlassian.ts';

/** Items cannot be made up for a site; the message says why. */
export class CannotBeKeyed extends Error {}

/**
 * The app's name for the site: its client key, or its first installation where it came by Forge.
 */
export const tenantOf = ({ clientKey, cameBy, installations }: Site): string =>
  cameBy === 'forge' ? tenantOfInstallation(installations[0] ?? '') : clientKey;

export function siteValues(host: LocalHost) {
  const { residency, dynamoDbUrl: endpoint } = host;
  const { parts } = residency;
  const clients = new Map(
    stackRows(residency.realms).map(({ realm, region }) => [
      realm,
      DynamoDBDocumentClient.from(new DynamoDBClient({ region, endpoint })),
    ]),
  );

  async function recordIn(realm: Realm, site: Site): Promise<TenantRecord | undefined> {
    const { tenants: TableName } = physicalNames(residency, STAGE, realm);
    const Key = { tenant: tenantOf(site) };
    const found = await clients
      .get(realm)
      ?.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
    return found?.Item as TenantRecord | undefined; // written by the tenant store alone
  }

  /** In each realm another record may know more: a stub, or the one that has arrived. */
  async function of(site: Site): Promise<KeyValues> {
    const records = await Promise.all([...clients.keys()].map((realm) => recordIn(realm, site)));
    return records
      .filter((record) => record !== undefined)
      .reduce((known, record) => extended(known, keyValuesOf(record)), {
        tenant: tenantOf(site),
      } as KeyValues);
  }

  /** The values, after an import in `realm` of those that Atlassian's events do not bring. */
  async function introduced(site: Site, realm: Realm): Promise<KeyValues> {
    const known = await of(site);
    const named = namedValues(parts, ANYBODY);
    const isWhole = named.cloudId === undefined && named.tenantKey === undefined;
    if (isWhole || unknownIn(parts, known) === undefined) return known;
    // An import would open a tenant that is not ours yet.
    if ((await recordIn(realm, site)) === undefined)
      throw new CannotBeKeyed(unknownIn(parts, known));
    const rows = [importRowOf(site, named.tenantKey !== undefined)];
    const asked = { verb: 'import', realm, apply: true, rows, actor: 'the local host' };
    const [answer] = Object(await host.invoke(realm, 'tasks/tenants', asked)).rows;
    const values = await of(site);
    const unknown = unknownIn(parts, values);
    if (unknown !== undefined) throw new CannotBeKeyed(`${unknown} (${answer.says})`);
    return values;
  }

  return {
    of,
    introduced,
    recordIn,
    close() {
      for (const client of clients.values()) client.destroy();
    },
  };
}

function importRowOf(site: Site, isKeyWanted: boolean) {
  const { clientKey, cloudId, sharedSecret, cameBy, installations } = site;
  const [installationId] = installations;
  return {
    installation: cameBy === 'forge' ? { installationId, cloudId } : { clientKey, cloudId },
    ...(cameBy === 'connect' && { sharedSecret }),
    storedAt: 0,
    ...(isKeyWanted && { tenantKey: tenantKeyOf(clientKey) }),
  };
}

/** An id of the app's own: eight digits, which are text, a number, and bytes in base64. */
const tenantKeyOf = (clientKey: string): string =>
  String(
    10_000_000 + (createHash('sha256').update(clientKey).digest().readUInt32BE() % 90_000_000),
  );

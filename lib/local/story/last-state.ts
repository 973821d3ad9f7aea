/**
 * The last lines of a story that broke off: statuses, items and objects, read anew. Each line copes
 * alone with a host that does not answer.
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoDbLedger } from '../../../lambdas/adapters/records/dynamodb-ledger.ts';
import { systemClock } from '../../../lambdas/adapters/system-clock.ts';
import { type Realm, regionOf } from '../../../lambdas/domain/realm.ts';
import { physicalNames } from '../../../lambdas/domain/residency.ts';
import type { LocalHost } from '../host.ts';
import { STAGE } from '../host-setup.ts';
import type { Site } from '../simulated-atlassian.ts';
import { countsIn, storyRealm } from './holdings.ts';
import type { Teller } from './print.ts';
import { tenantOf } from './site-values.ts';

export interface LastState {
  readonly tenant: Site;
  readonly migration: number;
  readonly from: Realm;
  readonly to: Realm;
}

export async function tellLastState(
  host: LocalHost,
  { tenant, migration, from, to }: LastState,
  tell: Teller,
): Promise<void> {
  tell.heading('Last state');
  tell.line(
    `  migration ${migration}: ${await orUnknown(statusOf(host, tenant, migration, from))}`,
  );
  for (const realm of [from, to])
    tell.line(
      `  ${tenant.clientKey} in ${realm}: ${await orUnknown(holdingIn(host, tenant, realm))}`,
    );
}

/** With the reason, where it failed. */
async function statusOf(
  host: LocalHost,
  tenant: Site,
  migration: number,
  from: Realm,
): Promise<string> {
  const { residency } = host;
  const client = new DynamoDBClient({
    region: regionOf(residency.realms, from),
    endpoint: host.dynamoDbUrl,
    maxAttempts: 1,
  });
  try {
    const ledger = dynamoDbLedger({
      clientFor: () => DynamoDBDocumentClient.from(client),
      tableOf: (realm) => physicalNames(residency, STAGE, realm).migrations,
      clock: systemClock,
    });
    const key = { ledger: from, tenant: tenantOf(tenant), id: String(migration) };
    const found = await ledger.migrations.read(key);
    if (found === undefined) return 'not scheduled';
    const reason = found.halted ?? found.error?.reason;
    return reason === undefined ? found.status : `${found.status} (${reason})`;
  } finally {
    client.destroy();
  }
}

async function holdingIn(host: LocalHost, tenant: Site, realm: Realm): Promise<string> {
  const store = storyRealm(host, realm);
  try {
    const [state, holdings] = [await store.stateOf(tenant), await store.holdings(tenant)];
    return `${state === 'none' ? 'no record' : state}, ${countsIn(holdings)}`;
  } finally {
    store.close();
  }
}

const orUnknown = (told: Promise<string>): Promise<string> =>
  told.catch(() => 'unknown, as the local host does not answer');

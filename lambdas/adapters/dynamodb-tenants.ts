/** Tenants in DynamoDB: one item per tenant and realm. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Realm } from '../domain/realm.ts';
import type { TenantRecord } from '../domain/tenant.ts';
import type { TenantStore } from '../ports.ts';
import { type Cells, changeCell, type Item, readCell } from './compare-and-set.ts';

export interface TenantTables {
  readonly clientFor: (realm: Realm) => DynamoDBDocumentClient;
  readonly tableOf: (realm: Realm) => string;
}

export function dynamoDbTenants({ clientFor, tableOf }: TenantTables): TenantStore {
  const cells = (realm: Realm): Cells<TenantRecord> => ({
    client: clientFor(realm),
    table: tableOf(realm),
    toItem,
    fromItem,
  });
  return {
    read: async (realm, tenant) => (await readCell(cells(realm), { tenant })).record,
    change: (realm, tenant, decide) => changeCell(cells(realm), { tenant }, decide),
  };
}

/**
 * The secret is an attribute of its own, so that a policy can withhold it from those who only look. The installation is
 * JSON text: it is Atlassian's, and may hold what DynamoDB has no type for.
 */
function toItem({ credentials, installation, ...record }: TenantRecord): Item {
  return {
    ...record,
    installation: JSON.stringify(installation),
    sharedSecret: credentials.sharedSecret,
    credentialsIat: credentials.iat,
    credentialsTokens: credentials.tokens,
  };
}

function fromItem(item: Item): TenantRecord {
  const {
    sharedSecret,
    credentialsIat,
    credentialsTokens,
    installation,
    revision: _,
    ...record
  } = item;
  if (
    typeof sharedSecret !== 'string' ||
    typeof credentialsIat !== 'number' ||
    typeof installation !== 'string'
  ) {
    throw new Error('a tenant record has no credentials, or no installation');
  }
  // Written by toItem alone, and by nobody else.
  return {
    ...(record as Omit<TenantRecord, 'credentials' | 'installation'>),
    installation: JSON.parse(installation),
    credentials: {
      sharedSecret,
      iat: credentialsIat,
      ...(Array.isArray(credentialsTokens) && { tokens: credentialsTokens }),
    },
  };
}

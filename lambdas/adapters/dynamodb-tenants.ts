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

/** The secret is an attribute of its own, so that a policy can withhold it from those who only look. */
function toItem({ credentials, ...record }: TenantRecord): Item {
  return { ...record, sharedSecret: credentials.sharedSecret, credentialsIat: credentials.iat };
}

function fromItem({ sharedSecret, credentialsIat, revision: _, ...record }: Item): TenantRecord {
  if (typeof sharedSecret !== 'string' || typeof credentialsIat !== 'number') {
    throw new Error('a tenant record has no credentials');
  }
  // Written by toItem alone, and by nobody else.
  return {
    ...(record as Omit<TenantRecord, 'credentials'>),
    credentials: { sharedSecret, iat: credentialsIat },
  };
}

/** Tenants as an operator may see them: the request names every attribute that it wants, and the secret is none of them. */
import { type DynamoDBDocumentClient, GetCommand, paginateScan } from '@aws-sdk/lib-dynamodb';
import type { Realm } from '../../lambdas/domain/realm.ts';
import type { TenantRecord } from '../../lambdas/domain/tenant.ts';
import { SHOWN_ATTRIBUTES } from '../shown-attributes.ts';

/** A tenant's record without its credentials, and without what Atlassian says of the site. */
export type TenantFacts = Omit<TenantRecord, 'credentials' | 'installation'>;

export interface TenantReader {
  /** Strongly consistent. */
  read(realm: Realm, tenant: string): Promise<TenantFacts | undefined>;
  /** Every record of a realm: a scan. */
  all(realm: Realm): AsyncIterable<TenantFacts>;
}

export interface TenantTables {
  readonly clientFor: (realm: Realm) => DynamoDBDocumentClient;
  readonly tableOf: (realm: Realm) => string;
}

const WANTED = SHOWN_ATTRIBUTES.filter((name) => name !== 'installation');
const NAMES = Object.fromEntries(WANTED.map((name, at) => [`#a${at}`, name]));
const PROJECTION = {
  ProjectionExpression: Object.keys(NAMES).join(', '),
  ExpressionAttributeNames: NAMES,
  ConsistentRead: true,
};

export function tenantReader({ clientFor, tableOf }: TenantTables): TenantReader {
  return {
    async read(realm, tenant) {
      const { Item: item } = await clientFor(realm).send(
        new GetCommand({ TableName: tableOf(realm), Key: { tenant }, ...PROJECTION }),
      );
      return item && factsOf(item);
    },
    async *all(realm) {
      const pages = paginateScan(
        { client: clientFor(realm) },
        { TableName: tableOf(realm), Select: 'SPECIFIC_ATTRIBUTES', ...PROJECTION },
      );
      for await (const { Items: items = [] } of pages)
        for (const item of items) if (isRecord(item)) yield factsOf(item);
    },
  };
}

/** The table holds aliases of tenants too, which have no state. */
const isRecord = (item: Readonly<Record<string, unknown>>): boolean =>
  typeof item['tenant'] === 'string' && typeof item['state'] === 'string';

function factsOf({
  revision: _r,
  credentialsIat: _c,
  credentialsTokens: _t,
  ...facts
}: Record<string, unknown>) {
  // Written by the tenant store alone, and by nobody else.
  return facts as unknown as TenantFacts;
}

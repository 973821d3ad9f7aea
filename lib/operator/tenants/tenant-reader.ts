/** Tenants as an operator may see them: the request names every attribute that it wants, and the secret is none of them. */
import { type DynamoDBDocumentClient, GetCommand, paginateScan } from '@aws-sdk/lib-dynamodb';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { TenantRecord } from '../../../lambdas/domain/tenants/tenant.ts';
import { SHOWN_ATTRIBUTES } from '../../shown-attributes.ts';

/** A tenant's record without its credentials, and without what Atlassian says of the site. */
export type TenantFacts = Omit<TenantRecord, 'credentials' | 'installation'>;

/** A tenant's record, or a name that Atlassian has for tenants, with those who may have it. */
export type Row =
  | { readonly record: TenantFacts }
  | { readonly alias: string; readonly holders: readonly Holder[] };

export interface Holder {
  readonly tenant: string;
  /** Epoch seconds. */
  readonly expiresAt?: number;
}

export interface TenantReader {
  /** Strongly consistent. */
  read(realm: Realm, tenant: string): Promise<TenantFacts | undefined>;
  /** Everything in a realm's table of tenants: a scan. */
  all(realm: Realm): AsyncIterable<Row>;
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
      for await (const { Items: items = [] } of pages) for (const item of items) yield rowOf(item);
    },
  };
}

function rowOf(item: Readonly<Record<string, unknown>>): Row {
  const { tenant, holders } = item;
  // Written by the aliases' adapter alone, and by nobody else.
  if (Array.isArray(holders)) return { alias: String(tenant), holders: holders as Holder[] };
  return { record: factsOf(item) };
}

function factsOf({
  revision: _r,
  credentialsIat: _c,
  credentialsTokens: _t,
  ...facts
}: Record<string, unknown>) {
  // Written by the tenant store alone, and by nobody else.
  return facts as unknown as TenantFacts;
}

/**
 * Tenants as an operator may see them: the request names every attribute that it wants, and the
 * secret is none of them.
 */
import { type DynamoDBDocumentClient, GetCommand, paginateScan } from '@aws-sdk/lib-dynamodb';
import { aliasKeyOf, fromAliasItem } from '../../../lambdas/adapters/records/alias-item.ts';
import { defined } from '../../../lambdas/domain/defined.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import {
  hostOf,
  installedIat,
  type TenantName,
  withSite,
} from '../../../lambdas/domain/tenants/identity.ts';
import type { TenantRecord } from '../../../lambdas/domain/tenants/tenant.ts';
import { SHOWN_ATTRIBUTES } from '../../shown-attributes.ts';

/**
 * A tenant's record without its credentials, and without what Atlassian says of the site but for
 * its host name. Cloud id and product are there also where only the installation had them.
 */
export interface TenantFacts extends Omit<TenantRecord, 'credentials' | 'installation'> {
  /** The host of the site's base URL. */
  readonly host?: string;
  /** A hook of Connect can be verified. */
  readonly hasSecret?: boolean;
  /** When the tenant was last installed, through whichever door. Epoch seconds; 0 if unknown. */
  readonly installedIat?: number;
}

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
  /** The tenants whose own record has this name; each read is strongly consistent. */
  find(realm: Realm, name: TenantName): Promise<readonly TenantFacts[]>;
  /** Everything in a realm's table of tenants: a scan. */
  all(realm: Realm): AsyncIterable<Row>;
}

export interface TenantTables {
  readonly clientFor: (realm: Realm) => DynamoDBDocumentClient;
  readonly tableOf: (realm: Realm) => string;
}

const NAMES = Object.fromEntries(SHOWN_ATTRIBUTES.map((name, at) => [`#a${at}`, name]));
const PROJECTION = {
  ProjectionExpression: Object.keys(NAMES).join(', '),
  ExpressionAttributeNames: NAMES,
  ConsistentRead: true,
};

export function tenantReader({ clientFor, tableOf }: TenantTables): TenantReader {
  async function itemOf(realm: Realm, tenant: string) {
    const command = new GetCommand({ TableName: tableOf(realm), Key: { tenant }, ...PROJECTION });
    return (await clientFor(realm).send(command)).Item;
  }
  async function read(realm: Realm, tenant: string): Promise<TenantFacts | undefined> {
    const item = await itemOf(realm, tenant);
    return item && factsOf(item);
  }
  return {
    read,
    async find(realm, name) {
      const alias = await itemOf(realm, aliasKeyOf(name));
      const holders = alias === undefined ? [] : fromAliasItem(alias);
      const found = await Promise.all(holders.map(({ tenant }) => read(realm, tenant)));
      return found.filter((facts) => facts !== undefined);
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
  // Written by the aliases' adapter alone.
  if (Array.isArray(holders)) return { alias: String(tenant), holders: holders as Holder[] };
  return { record: factsOf(item) };
}

function factsOf(item: Readonly<Record<string, unknown>>): TenantFacts {
  const {
    revision: _,
    credentialsIat,
    credentialsTokens: tokens,
    installation: told,
    ...facts
  } = item;
  const iat = typeof credentialsIat === 'number' ? credentialsIat : 0;
  // Written by the tenant store alone.
  const record = {
    ...facts,
    installation: objectIn(told),
    credentials: { iat },
  } as unknown as TenantRecord;
  const { credentials: _c, installation, ...rest } = withSite(record);
  return {
    ...rest,
    ...defined({ host: hostOf(installation['baseUrl']) }),
    // One that a token, or an import, has brought. A tenant that Forge announced has 0 and none.
    hasSecret: iat > 0 || (Array.isArray(tokens) && tokens.length > 0),
    installedIat: installedIat(record),
  };
}

/** A record that was edited by hand may be anything. */
function objectIn(text: unknown): object {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

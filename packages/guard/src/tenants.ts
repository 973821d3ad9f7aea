/**
 * Reads tenants and aliases as they lie in DynamoDB: strongly consistently, and no attribute that
 * is not asked for.
 */
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import {
  aliasKeyOf,
  fromAliasItem,
  holding,
  tenantsCalled,
} from '../../../lambdas/adapters/records/alias-item.ts';
import { fromTenantItem } from '../../../lambdas/adapters/records/tenant-item.ts';
import { physicalNames } from '../../../lambdas/domain/residency.ts';
import type { TenantRecord } from '../../../lambdas/domain/tenants/tenant.ts';
import type { TenantStore } from '../../../lambdas/ports.ts';
import { ResidencyFault } from './fault.ts';
import type { TableOptions } from './types.ts';

export interface TenantsTable {
  readonly client: DynamoDBClient;
  readonly table: string;
  /** What every role that reads it must be called, to be let in by the realm's key. */
  readonly rolePrefix: string;
}

/** Throws a sentence where the options name no table. */
export function tenantsTable({ app, stage, realm, region, client }: TableOptions): TenantsTable {
  for (const [option, value] of Object.entries({ app, stage, realm }))
    if (typeof value !== 'string' || !/^[A-Za-z0-9_.-]+$/.test(value))
      throw new Error(`${option} is the ${option} of residency.config.ts, not ${String(value)}`);
  const { prefix, tenants } = physicalNames({ name: app }, stage, realm);
  return {
    client:
      client ??
      new DynamoDBClient({
        ...(region === undefined ? {} : { region }),
        maxAttempts: 3,
        requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000 },
      }),
    table: tenants,
    rolePrefix: `${prefix}-`,
  };
}

/**
 * The two reads by which handlers find tenants; the realm is the table's own, whichever is named.
 */
export function readTenants(
  table: TenantsTable,
  attributes: readonly string[],
): Pick<TenantStore, 'read' | 'find'> {
  const record = (tenant: string): Promise<TenantRecord | undefined> =>
    itemOf(table, tenant, attributes, fromTenantItem);
  async function holdersOf(name: Parameters<typeof aliasKeyOf>[0]): Promise<readonly string[]> {
    const holders = await itemOf(table, aliasKeyOf(name), ['tenant', 'holders'], fromAliasItem);
    return holding(holders ?? [], Math.floor(Date.now() / 1000));
  }
  return {
    read: (_realm, tenant) => record(tenant),
    find: (_realm, name) => tenantsCalled(name, holdersOf, record),
  };
}

/** An item that is not what these stacks write is a fault too. */
async function itemOf<T>(
  table: TenantsTable,
  key: string,
  attributes: readonly string[],
  parse: (item: Readonly<Record<string, unknown>>) => T,
): Promise<T | undefined> {
  return faulty(table, async () => {
    const { Item: item } = await table.client.send(
      new GetItemCommand({
        TableName: table.table,
        Key: { tenant: { S: key } },
        ConsistentRead: true,
        ...projectionOf(attributes),
      }),
    );
    return item && parse(unmarshall(item));
  });
}

/** By placeholders: `state` is a reserved word. */
export const projectionOf = (attributes: readonly string[]) => ({
  ProjectionExpression: attributes.map((_, at) => `#a${at}`).join(', '),
  ExpressionAttributeNames: Object.fromEntries(attributes.map((name, at) => [`#a${at}`, name])),
});

/** Makes a fault of whatever the SDK throws. */
export async function faulty<T>(
  { table, rolePrefix }: TenantsTable,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : 'unknown error';
    throw new ResidencyFault(`${table} cannot be read: ${name}${adviceOn(name, rolePrefix)}`, {
      cause,
    });
  }
}

function adviceOn(error: string, rolePrefix: string): string {
  if (error === 'ResourceNotFoundException')
    return ' (app, stage, realm and region must be those of a deployed realm)';
  if (error === 'AccessDeniedException' || error === 'KMSAccessDeniedException')
    return ` (the role must be called ${rolePrefix}…, and have the rights of docs/guard.md)`;
  return '';
}

/**
 * Checks of `doctor` on the form of every table, the vendor's own included: keys with their types,
 * the indexes that we read, and the attribute by which items expire. A table of another form loses
 * or refuses what is moved into it.
 */
import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type TableDescription,
  type TimeToLiveDescription,
} from '@aws-sdk/client-dynamodb';
import { tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import { defined } from '../../../lambdas/domain/defined.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { physicalNames, type Residency } from '../../../lambdas/domain/residency.ts';
import type { Operator } from '../operator.ts';
import { bad, type Found, fine } from './check.ts';

/** A table as the configuration declares it. */
export interface DeclaredTable {
  readonly name: string;
  /** Partition key, then sort key, as `name (type)`. */
  readonly keys: readonly string[];
  readonly indexes: readonly string[];
  /** The partition key that an index must have, as `name (type)`. */
  readonly indexKeys?: Readonly<Record<string, string>>;
  readonly ttlAttribute?: string | undefined;
}

export function declaredTables(
  residency: Residency,
  stage: string,
  realm: Realm,
): readonly DeclaredTable[] {
  const names = physicalNames(residency, stage, realm);
  return [
    {
      name: names.tenants,
      keys: ['tenant (S)'],
      indexes: ['retired'],
      ttlAttribute: 'expiresAt',
    },
    {
      name: names.migrations,
      keys: ['tenant (S)', 'id (S)'],
      indexes: ['open'],
      ttlAttribute: 'expiresAt',
    },
    ...tablesOf(residency.parts).map((part) => ({
      name: names.part(part),
      keys: [
        `${part.partitionKey} (${part.keyType ?? 'S'})`,
        ...(part.sortKey === undefined ? [] : [`${part.sortKey.name} (${part.sortKey.type})`]),
      ],
      indexes: part.discover?.by === 'index' ? [part.discover.index] : [],
      ...(part.discover?.by === 'index' && {
        indexKeys: { [part.discover.index]: `${part.discover.attribute} (S)` },
      }),
      ttlAttribute: part.ttlAttribute,
    })),
  ];
}

/** Checks that every table is there, is active, and has the keys and indexes that are declared. */
export async function tables(operator: Operator, realm: Realm): Promise<Found> {
  const declared = declaredTables(operator.residency, operator.stage, realm);
  const described = await Promise.all(
    declared.map(({ name }) => descriptionOf(operator, realm, name)),
  );
  for (const [at, table] of declared.entries()) {
    const found = formFound(table, described[at]);
    if (!found.ok) return found;
  }
  return fine(`${declared.length} tables are active, with their keys`);
}

/** Pure: the finding on one table. */
export function formFound(
  { name, keys, indexes, indexKeys = {} }: DeclaredTable,
  described: TableDescription | undefined,
): Found {
  if (described === undefined)
    return bad(
      `there is no table ${name}`,
      'deploy the realm; a table of your own must exist before',
    );
  if (described.TableStatus === 'INACCESSIBLE_ENCRYPTION_CREDENTIALS')
    return bad(
      `the encryption key of the table ${name} cannot be used`,
      'enable the key, or take back its deletion: after seven days AWS archives the table',
    );
  if (described.TableStatus !== 'ACTIVE')
    return bad(`the table ${name} is ${described.TableStatus}`, 'wait until it is active');
  const found = keysOf(described);
  if (found.join() !== keys.join())
    return bad(
      `the table ${name} has the keys ${found.join(', ')}`,
      `declare them in residency.config.ts, where ${keys.join(', ')} stand`,
    );
  const { GlobalSecondaryIndexes: there = [], AttributeDefinitions } = described;
  const present = there.map(({ IndexName: index }) => index);
  const missing = indexes.filter((index) => !present.includes(index));
  if (missing.length > 0)
    return bad(`the table ${name} has no index ${missing.join(', ')}`, 'deploy the realm');
  for (const { IndexName: index = '', KeySchema } of there) {
    const [key = ''] = keysOf({ ...defined({ KeySchema }), ...defined({ AttributeDefinitions }) });
    const wanted = indexKeys[index];
    if (wanted !== undefined && key !== wanted)
      return bad(
        `the index ${index} of the table ${name} is by ${key}, and not by ${wanted}`,
        'declare an index by the attribute that holds the tenant: the copy finds its keys by it',
      );
  }
  const replicas = (described.Replicas ?? []).map(({ RegionName: region }) => region);
  if (replicas.length > 0)
    return bad(
      `the table ${name} is replicated to ${replicas.join(', ')}: what is moved here is there as well`,
      'use a table without replicas: a realm keeps its data in its own region',
    );
  return fine(`the table ${name} is as declared`);
}

/** Keys as `name (type)`, of a table or of an index of it, partition key first. */
export function keysOf({
  KeySchema: schema = [],
  AttributeDefinitions: types = [],
}: Pick<TableDescription, 'AttributeDefinitions' | 'KeySchema'>): readonly string[] {
  // Sorted here, because DynamoDB promises no order.
  return ['HASH', 'RANGE'].flatMap((kind) =>
    schema
      .filter(({ KeyType }) => KeyType === kind)
      .map(({ AttributeName: key }) => {
        const type = types.find(({ AttributeName }) => AttributeName === key)?.AttributeType;
        return `${key} (${type})`;
      }),
  );
}

/**
 * Checks that items expire by the declared attribute. DynamoDB then removes exactly what the copy
 * counts as absent.
 */
export async function expiry(operator: Operator, realm: Realm): Promise<Found> {
  const declared = declaredTables(operator.residency, operator.stage, realm);
  const described = await Promise.all(
    declared.map(async ({ name }) => {
      const command = new DescribeTimeToLiveCommand({ TableName: name });
      return (await operator.clients.dynamoDb(realm).send(command)).TimeToLiveDescription;
    }),
  );
  for (const [at, table] of declared.entries()) {
    const found = expiryFound(table, described[at]);
    if (!found.ok) return found;
  }
  return fine(`${declared.length} tables let items expire as declared`);
}

/** Pure: the finding on one table. */
export function expiryFound(
  { name, ttlAttribute: wanted }: DeclaredTable,
  { TimeToLiveStatus: status, AttributeName: attribute }: TimeToLiveDescription = {},
): Found {
  const found = status === 'ENABLED' || status === 'ENABLING' ? attribute : undefined;
  if (found === wanted) return fine(`the table ${name} lets items expire as declared`);
  if (wanted === undefined)
    return bad(
      `the table ${name} lets items expire by ${found}, which is not declared`,
      `give its part ttlAttribute: '${found}' in residency.config.ts: an item that expires in a move is a difference otherwise`,
    );
  return bad(
    `the table ${name} ${found === undefined ? 'lets no item expire' : `lets items expire by ${found}`}, and not by ${wanted}`,
    `set time to live of the table to ${wanted}, or take ttlAttribute off its part: what has expired is not moved, and stays where it was`,
  );
}

/** `undefined` where there is no such table. */
export async function descriptionOf(
  { clients }: Pick<Operator, 'clients'>,
  realm: Realm,
  name: string,
): Promise<TableDescription | undefined> {
  try {
    const command = new DescribeTableCommand({ TableName: name });
    return (await clients.dynamoDb(realm).send(command)).Table;
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

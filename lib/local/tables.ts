/** The tables of a realm as data, for hosts that have no CloudFormation. */
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart } from '../../lambdas/domain/datasets/dataset.ts';
import { tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { physicalNames, type Residency } from '../../lambdas/domain/residency.ts';

/** `tenants`, `migrations`, and the table of each part that is not the vendor's own. */
export function tableDefinitions(
  residency: Pick<Residency, 'name' | 'parts'>,
  stage: string,
  realm: Realm,
): CreateTableCommandInput[] {
  const names = physicalNames(residency, stage, realm);
  return [
    {
      TableName: names.tenants,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'tenant', AttributeType: 'S' },
        { AttributeName: 'purgeOf', AttributeType: 'S' },
        { AttributeName: 'purgeDueAt', AttributeType: 'N' },
      ],
      KeySchema: [{ AttributeName: 'tenant', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'retired',
          KeySchema: keySchema('purgeOf', 'purgeDueAt'),
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    },
    {
      TableName: names.migrations,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['tenant', 'id', 'openIn', 'dueAt'].map((name) => ({
        AttributeName: name,
        AttributeType: 'S',
      })),
      KeySchema: keySchema('tenant', 'id'),
      GlobalSecondaryIndexes: [
        {
          IndexName: 'open',
          KeySchema: keySchema('openIn', 'dueAt'),
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    },
    ...tablesOf(residency.parts).map((part) => partTable(names.part(part), part)),
  ];
}

/** In seconds; a table that was created can refuse a call until it is active. */
const WAIT_FOR_TABLE = { minDelay: 0.01, maxDelay: 1, maxWaitTime: 60 };

/** Ends when all of them are active. Leaves a table that exists as it is, with its items. */
export async function createTables(
  client: DynamoDBClient,
  definitions: readonly CreateTableCommandInput[],
): Promise<void> {
  for (const definition of definitions) {
    try {
      await client.send(new CreateTableCommand(definition));
    } catch (error) {
      if (!(error instanceof Error && error.name === 'ResourceInUseException')) throw error;
    }
  }
  for (const { TableName } of definitions)
    await waitUntilTableExists({ client, ...WAIT_FOR_TABLE }, { TableName });
}

function partTable(
  table: string,
  { partitionKey, keyType = 'S', sortKey, discover }: DynamoDbPart,
): CreateTableCommandInput {
  const types = new Map([[partitionKey, keyType]]);
  if (sortKey !== undefined) types.set(sortKey.name, sortKey.type);
  if (discover?.by === 'index') types.set(discover.attribute, 'S');
  return {
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [...types].map(([AttributeName, AttributeType]) => ({
      AttributeName,
      AttributeType,
    })),
    KeySchema: keySchema(partitionKey, sortKey?.name),
    ...(discover?.by === 'index' && {
      GlobalSecondaryIndexes: [
        {
          IndexName: discover.index,
          KeySchema: keySchema(discover.attribute, undefined),
          Projection: { ProjectionType: 'KEYS_ONLY' as const },
        },
      ],
    }),
  };
}

const keySchema = (hash: string, range: string | undefined) => [
  { AttributeName: hash, KeyType: 'HASH' as const },
  ...(range === undefined ? [] : [{ AttributeName: range, KeyType: 'RANGE' as const }]),
];

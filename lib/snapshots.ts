/**
 * Reads what a tenant has in a realm, and compares it item by item. It shares no code with the
 * copy.
 */
import { createHash } from 'node:crypto';
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { type DynamoDbPart, partitionsOf } from '../lambdas/domain/datasets/dataset.ts';
import { typeOfMade } from '../lambdas/domain/datasets/key-template.ts';
import type { KeyValues } from '../lambdas/domain/datasets/key-values.ts';

/** The items of one part: key to hash of the whole item. */
export type Snapshot = ReadonlyMap<string, string>;

export async function snapshotOf(
  client: DynamoDBClient,
  table: string,
  part: DynamoDbPart,
  values: KeyValues,
): Promise<Snapshot> {
  const items = new Map<string, string>();
  for (const partition of partitionsOf(part, values)) {
    let from: Record<string, AttributeValue> | undefined;
    do {
      const asked = {
        TableName: table,
        ConsistentRead: true,
        ExpressionAttributeNames: { '#tenant': part.discover?.attribute ?? part.partitionKey },
        ExpressionAttributeValues: { ':tenant': keyValueOf(part, partition) },
        ExclusiveStartKey: from,
      };
      const page =
        part.discover === undefined
          ? await client.send(
              new QueryCommand({ ...asked, KeyConditionExpression: '#tenant = :tenant' }),
            )
          : await client.send(new ScanCommand({ ...asked, FilterExpression: filterOf(part) }));
      for (const item of page.Items ?? []) {
        const key = canonical([item[part.partitionKey], part.sortKey && item[part.sortKey.name]]);
        items.set(key, createHash('sha256').update(canonical(item)).digest('hex'));
      }
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
  }
  return items;
}

const filterOf = ({ discover }: DynamoDbPart): string =>
  discover?.prefix === undefined ? '#tenant = :tenant' : 'begins_with(#tenant, :tenant)';

function keyValueOf(part: DynamoDbPart, partition: string): AttributeValue {
  const keyType = typeOfMade(part);
  if (keyType === 'B') return { B: Buffer.from(partition, 'base64') };
  return keyType === 'N' ? { N: partition } : { S: partition };
}

/** How many items are missing, extra or different. */
export function differences(before: Snapshot, after: Snapshot): number {
  const changed = [...before].filter(([key, hash]) => after.get(key) !== hash).length;
  const extra = [...after.keys()].filter((key) => !before.has(key)).length;
  return changed + extra;
}

/** The state in a tenant's record; `none` where there is no record. */
export async function tenantState(
  client: DynamoDBClient,
  table: string,
  tenant: string,
): Promise<string> {
  return (await recordOf(client, table, tenant))?.state?.S ?? 'none';
}

/** The Forge installations that a tenant's record lists. */
export async function installationsOf(
  client: DynamoDBClient,
  table: string,
  tenant: string,
): Promise<readonly string[]> {
  const listed = (await recordOf(client, table, tenant))?.installations?.L ?? [];
  return listed.map((one) => one.M?.id?.S ?? '');
}

async function recordOf(client: DynamoDBClient, table: string, tenant: string) {
  const { Item } = await client.send(
    new GetItemCommand({ TableName: table, Key: { tenant: { S: tenant } }, ConsistentRead: true }),
  );
  return Item;
}

/** One text per value: attributes in the order of their names, members of a set in order. */
function canonical(value: unknown, type?: string): string {
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) {
    const members = value.map((member) => canonical(member));
    return `[${(type?.endsWith('S') ? members.sort() : members).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const attributes = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
    return `{${attributes.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner, name)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? '';
}

/** Key attributes for items that are made up: by smoke tests and by the local story. */
import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type DynamoDbPart, partitionsOf } from '../lambdas/domain/datasets/dataset.ts';
import type { KeyValues } from '../lambdas/domain/datasets/key-values.ts';

type Attributes = Record<string, AttributeValue>;

/**
 * Different keys of a tenant's items, over all its partitions. `count` of them, or one for each
 * partition where the table has no sort key; none of a tenant that has no partition there. `nameOf`
 * makes the text of a sort key.
 */
export function keysOfItems(
  part: DynamoDbPart,
  values: KeyValues,
  count: number,
  nameOf: (index: number) => string,
): readonly Attributes[] {
  const partitions = partitionsOf(part, values);
  if (partitions.length === 0) return [];
  const length = isOneItemEach(part) ? Math.min(count, partitions.length) : count;
  return Array.from({ length }, (_, index) => keyAt(part, partitions, index, nameOf));
}

/** True where a partition has one item at most. */
export const isOneItemEach = ({ sortKey, discover }: DynamoDbPart): boolean =>
  sortKey === undefined && discover === undefined;

/** The key of an item by its number, under one of the tenant's `partitions`. */
export const keyAt = (
  part: DynamoDbPart,
  partitions: readonly string[],
  index: number,
  nameOf: (index: number) => string,
): Attributes => ({
  ...partitionOf(part, partitions[index % partitions.length] ?? '', index),
  ...(part.sortKey !== undefined && {
    [part.sortKey.name]: sortValue(part.sortKey.type, index, nameOf),
  }),
});

/** In a table that is scanned, each item is an entity of its own, which names the tenant. */
function partitionOf(part: DynamoDbPart, value: string, index: number): Attributes {
  const { partitionKey, discover } = part;
  if (discover === undefined) return { [partitionKey]: partitionValue(part, value) };
  if (discover.attribute === undefined) return { [partitionKey]: { S: `${value}entity ${index}` } };
  return {
    [partitionKey]: entityId(part, value, index),
    [discover.attribute]: { S: value },
  };
}

/** Of another tenant it is another one. A number has the first digits of the tenant's digest. */
function entityId({ keyType = 'S' }: DynamoDbPart, value: string, index: number): AttributeValue {
  const name = `entity ${index} of ${value}`;
  if (keyType === 'B') return { B: new TextEncoder().encode(name) };
  if (keyType === 'S') return { S: name };
  const digest = createHash('sha256').update(value).digest().readUInt32BE();
  return { N: `${digest}${String(index).padStart(9, '0')}` };
}

/** Text, the digits of a number, or bytes in base64. */
function partitionValue({ keyType }: DynamoDbPart, value: string): AttributeValue {
  if (keyType === 'B') return { B: Uint8Array.from(Buffer.from(value, 'base64')) };
  return keyType === 'N' ? { N: value } : { S: value };
}

function sortValue(
  type: 'S' | 'N' | 'B',
  index: number,
  nameOf: (index: number) => string,
): AttributeValue {
  if (type === 'N') return { N: String(index) };
  if (type === 'B') return { B: Uint8Array.of(0, index >> 16, (index >> 8) & 255, index & 255) };
  return { S: nameOf(index) };
}

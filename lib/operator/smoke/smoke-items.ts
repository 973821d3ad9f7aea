/** Items for the synthetic tenant: in every part, with all shapes that copying could spoil. */

import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { partitionValue } from '../../../lambdas/adapters/dataset/item-key.ts';
import { type Part, partitionsOf } from '../../../lambdas/domain/datasets/dataset.ts';
import type { KeyValues } from '../../../lambdas/domain/datasets/key-values.ts';
import { DAY_SECONDS } from '../../../lambdas/domain/time.ts';

type RawItem = Record<string, AttributeValue>;

const BATCH = 25;

/**
 * `count` items of a part, over all its partitions; where there is no sort key, a partition has one
 * item.
 */
export function smokeItems(part: Part, values: KeyValues, count: number): readonly RawItem[] {
  const partitions = partitionsOf(part, values);
  const isOneEach = part.sortKey === undefined && part.discover === undefined;
  const length = isOneEach ? Math.min(count, partitions.length) : count;
  return Array.from({ length }, (_, index) => ({
    ...SHAPES[index % SHAPES.length],
    ...(part.ttlAttribute !== undefined && {
      [part.ttlAttribute]: { N: String(Math.floor(Date.now() / 1000) + DAY_SECONDS) },
    }),
    ...keyed(part, partitions[index % partitions.length] ?? '', index),
    ...(part.sortKey !== undefined && { [part.sortKey.name]: sortValue(part.sortKey.type, index) }),
  }));
}

/** In a table that is scanned, each item is an entity of its own, which names the tenant. */
const keyed = (part: Part, value: string, index: number): RawItem =>
  part.discover === undefined
    ? { [part.partitionKey]: partitionValue(part, value) }
    : {
        [part.partitionKey]: { S: `smoke of ${value} ${index}` },
        [part.discover.attribute]: { S: value },
      };

function sortValue(type: 'S' | 'N' | 'B', index: number): AttributeValue {
  if (type === 'N') return { N: String(index) };
  if (type === 'B') return { B: Uint8Array.of(0, index >> 8, index & 255) };
  return { S: `smoke-${String(index).padStart(5, '0')}` };
}

const SHAPES: readonly RawItem[] = [
  { text: { S: 'Grüße, 世界 \u{1F30F}' }, empty: { S: '' } },
  { bytes: { B: Uint8Array.from({ length: 256 }, (_, byte) => byte) } },
  { texts: { SS: ['b', 'a', 'ä'] }, numbers: { NS: ['3', '-1.5', '1E+30'] } },
  {
    tree: { M: { list: { L: [{ S: '' }, { NULL: true }, { BOOL: false }, { N: '-0.000001' }] } } },
  },
  { precise: { N: '12345678901234567890.123456789012345678' }, large: { S: 'x'.repeat(20_000) } },
];

export async function seeded(
  client: DynamoDBClient,
  table: string,
  items: readonly RawItem[],
): Promise<void> {
  for (let at = 0; at < items.length; at += BATCH) {
    let left: WriteRequest[] = items
      .slice(at, at + BATCH)
      .map((Item) => ({ PutRequest: { Item: { ...Item } } }));
    while (left.length > 0) {
      const command = new BatchWriteItemCommand({ RequestItems: { [table]: left } });
      left = (await client.send(command)).UnprocessedItems?.[table] ?? [];
    }
  }
}

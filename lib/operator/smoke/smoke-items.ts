/** Items for the synthetic tenant: in every part, with all shapes that copying could spoil. */

import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart } from '../../../lambdas/domain/datasets/dataset.ts';
import type { KeyValues } from '../../../lambdas/domain/datasets/key-values.ts';
import { DAY_SECONDS } from '../../../lambdas/domain/time.ts';
import { keysOfItems } from '../../keys-of-items.ts';

type RawItem = Record<string, AttributeValue>;

const BATCH = 25;

/**
 * `count` items of a part, over all its partitions; where there is no sort key, a partition has one
 * item.
 */
export const smokeItems = (
  part: DynamoDbPart,
  values: KeyValues,
  count: number,
): readonly RawItem[] =>
  keysOfItems(part, values, count, (index) => `smoke-${String(index).padStart(5, '0')}`).map(
    (key, index) => ({
      ...SHAPES[index % SHAPES.length],
      ...(part.ttlAttribute !== undefined && {
        [part.ttlAttribute]: { N: String(Math.floor(Date.now() / 1000) + DAY_SECONDS) },
      }),
      ...key,
    }),
  );

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

/** Counts the items of a range without transferring them. */
import { type AttributeValue, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart } from '../../domain/datasets/dataset.ts';
import { FIVE_SHORT_YEARS } from '../../domain/datasets/expiry.ts';
import { NOTHING_COUNTED, type RangeSize } from '../../domain/datasets/size.ts';
import type { Clock } from '../../ports.ts';
import { partitionValue, startKey } from './item-key.ts';
import { cursorAfter, limitOf, type RangeSide } from './range-reader.ts';

/**
 * A strongly consistent read costs one unit for each 4 KB of a page, and the answer says how many.
 */
const READ_UNIT_BYTES = 4096;

/**
 * Strongly consistent, because `where` counts with it right after a move and must not see an older
 * state; for the planner alone, half the price would do. Items are exact. Bytes are what was
 * charged for, so that each page (1 MB) is rounded up to 4 KB, and expired items take their share
 * by number.
 */
export async function sizeOfRange(
  side: RangeSide,
  clock: Clock,
  until: number,
  from: RangeSize = NOTHING_COUNTED,
): Promise<RangeSize> {
  let size = from;
  while (!size.complete) {
    size = await withNextPage(side, Math.floor(clock.now() / 1000), size);
    if (clock.now() >= until) break;
  }
  return size;
}

async function withNextPage(side: RangeSide, now: number, size: RangeSize): Promise<RangeSize> {
  const { client, table, part, partition, pageItems } = side;
  const living = livingAt(part, now);
  const {
    Count: items = 0,
    ScannedCount: scanned = 0,
    ConsumedCapacity: consumed,
    LastEvaluatedKey: lastKey,
  } = await client.send(
    new QueryCommand({
      TableName: table,
      ConsistentRead: true,
      Select: 'COUNT',
      ReturnConsumedCapacity: 'TOTAL',
      KeyConditionExpression: '#partition = :partition',
      FilterExpression: living?.expression,
      ExpressionAttributeNames: { '#partition': part.partitionKey, ...living?.names },
      ExpressionAttributeValues: {
        ':partition': partitionValue(part, partition),
        ...living?.values,
      },
      ExclusiveStartKey:
        size.cursor === undefined ? undefined : startKey(part, partition, size.cursor),
      Limit: limitOf(part, pageItems),
    }),
  );
  const cursor = cursorAfter(part, lastKey);
  const charged = (consumed?.CapacityUnits ?? 0) * READ_UNIT_BYTES;
  return {
    items: size.items + items,
    expired: size.expired + scanned - items,
    bytes: size.bytes + (scanned === 0 ? 0 : Math.round((charged * items) / scanned)),
    complete: cursor === undefined,
    ...(cursor !== undefined && { cursor }),
  };
}

/**
 * The rule of `isExpired`, as far as a filter can express it (it cannot for fractions): an expiry
 * that is not a number, or so old that DynamoDB would keep the item, does not count.
 */
function livingAt({ ttlAttribute }: DynamoDbPart, now: number) {
  if (ttlAttribute === undefined) return undefined;
  const values: Record<string, AttributeValue> = {
    ':number': { S: 'N' },
    ':now': { N: `${now}` },
    ':old': { N: `${now - FIVE_SHORT_YEARS}` },
  };
  return {
    expression:
      'attribute_not_exists(#ttl) OR NOT attribute_type(#ttl, :number) OR #ttl > :now OR #ttl <= :old',
    names: { '#ttl': ttlAttribute },
    values,
  };
}

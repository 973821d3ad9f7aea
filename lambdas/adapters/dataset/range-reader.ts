/** Reads a range page by page, one page ahead of the code that works on the current one. */

import { setImmediate as turn } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart } from '../../domain/datasets/dataset.ts';
import type { Segment } from '../../domain/datasets/discovery.ts';
import { defined } from '../../domain/defined.ts';
import type { Reads } from '../../ports.ts';
import {
  type AnyItem,
  checkKey,
  cursorOf,
  partitionValue,
  startKey,
  type WireItem,
} from './item-key.ts';
import { itemTexts } from './item-texts.ts';
import { queryItems } from './item-wire.ts';

/** A range in one realm. */
export interface RangeSide {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly part: DynamoDbPart;
  readonly partition: string;
  /** Items per page, where 1 MB would be too many. */
  readonly pageItems: number | undefined;
  /** In a table that is scanned: the share that the range is; the whole table without it. */
  readonly segment?: Segment | undefined;
  /** In a table that is scanned: all partitions of the tenant, this one too. */
  readonly partitions?: readonly string[] | undefined;
  /** Requests of a scan that are sent at once; 16 where it is left out. */
  readonly scansAtOnce?: number | undefined;
}

/** `cursor` is where the next page starts, and absent on the last one. */
export interface Page {
  readonly items: readonly WireItem[];
  /** The JSON text of each item as DynamoDB sent it. */
  readonly texts: () => readonly string[];
  readonly cursor?: string;
}

/**
 * Strongly consistent, unless it is told otherwise. At least one page, which is empty when there is
 * nothing (after `cursor`, and up to the key `upTo`, that one included).
 */
export async function* readPages(
  side: RangeSide,
  cursor?: string,
  reads: Reads = 'strong',
  upTo?: string,
): AsyncGenerator<Page> {
  const { client, table, part, partition, pageItems } = side;
  const sortKey = part.sortKey?.name;
  const bound =
    sortKey === undefined || upTo === undefined
      ? undefined
      : { sortKey, value: startKey(part, partition, upTo)[sortKey] };
  let next = cursor;
  do {
    const { page, text } = await queryItems(client, {
      TableName: table,
      ConsistentRead: reads === 'strong',
      KeyConditionExpression: `#partition = :partition${bound ? ' AND #sort <= :upTo' : ''}`,
      ExpressionAttributeNames: {
        '#partition': part.partitionKey,
        ...(bound && { '#sort': bound.sortKey }),
      },
      ExpressionAttributeValues: {
        ':partition': partitionValue(part, partition),
        ...(bound?.value && { ':upTo': bound.value }),
      },
      ExclusiveStartKey: next === undefined ? undefined : startKey(part, partition, next),
      Limit: limitOf(part, pageItems),
    });
    const { Items: items = [], LastEvaluatedKey } = page;
    next = cursorAfter(part, LastEvaluatedKey);
    yield { items, texts: () => textsOf(items, text), ...defined({ cursor: next }) };
  } while (next !== undefined);
}

/**
 * A key without a sort key has one item. A query for one item shows in its answer which keys the
 * table has.
 */
export const limitOf = (part: DynamoDbPart, pageItems: number | undefined): number | undefined =>
  part.sortKey === undefined ? 1 : pageItems;

/**
 * Where the next page starts; `undefined` after the last one. Throws where the table has other keys
 * than are declared.
 */
export function cursorAfter(part: DynamoDbPart, lastKey: AnyItem | undefined): string | undefined {
  if (lastKey === undefined) return undefined;
  checkKey(part, lastKey);
  return part.sortKey === undefined ? undefined : cursorOf(part, lastKey);
}

/** The text of each item; made again where the answer does not have DynamoDB's layout. */
function textsOf(items: readonly WireItem[], answer: string): readonly string[] {
  const texts = itemTexts(answer);
  return texts?.length === items.length ? texts : items.map((item) => JSON.stringify(item));
}

/**
 * Asks for the next element before it hands out the current one. Leaves nothing running when it is
 * closed.
 */
export async function* oneAhead<T>(elements: AsyncGenerator<T>): AsyncGenerator<T> {
  const ask = () => {
    const answer = elements.next();
    answer.catch(() => {}); // it is awaited one turn later, and thrown there
    return answer;
  };
  let coming = ask();
  try {
    for (let current = await coming; !current.done; current = await coming) {
      coming = ask();
      await turn(); // the request leaves before the caller begins to compute
      yield current.value;
    }
  } finally {
    await coming.catch(() => {});
    await elements.return(undefined);
  }
}

/**
 * Reads a range from its front and from its back at the same time, until both meet. That halves the
 * round trips for callers that need no order. It shares no paging code with the copy, so that it
 * sees an item which the copy passed over.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart } from '../../domain/datasets/dataset.ts';
import {
  type AnyItem,
  compareKeys,
  cursorOf,
  type Item,
  partitionValue,
  startKey,
  type WireItem,
} from './item-key.ts';
import { queryItems } from './item-wire.ts';
import { shareBetween } from './key-distance.ts';
import { cursorAfter, limitOf, type RangeSide } from './range-reader.ts';

/** `cursor` is the position of both ends, and absent when they have met. */
export interface EndsPage {
  readonly items: readonly WireItem[];
  readonly cursor?: string;
  /** The position of both ends after this item of the page. */
  readonly cursorAfter: (item: WireItem) => string;
}

type End = 'front' | 'back';
interface Arrival {
  readonly end: End;
  readonly items: readonly WireItem[];
  readonly lastKey: Item | undefined;
}

/**
 * Strongly consistent. At least one page. As long as `isUrgent` says no, it reads from the front
 * alone.
 */
export async function* readBothEnds(
  side: RangeSide,
  cursor: string | undefined,
  content: 'items' | 'keys',
  isUrgent: () => boolean,
): AsyncGenerator<EndsPage> {
  const { part } = side;
  const stands: { front?: Item; back?: Item } = standsOf(side, cursor);
  const asked = new Map<End, Promise<Arrival>>();
  let [seen, perPage] = [0, 0];
  let beginning: AnyItem | undefined = stands.front;

  function ask(end: End, limit: number | undefined): void {
    const arrival = query(side, end, { ...stands }, content, limit);
    arrival.catch(() => {}); // it is awaited below, and thrown there
    asked.set(end, arrival);
  }

  /** The first look at the back takes one item: a range of a single page must not be read twice. */
  function askBeginning(): void {
    ask('front', side.pageItems);
    if (part.sortKey !== undefined && isUrgent() && beginning === undefined) ask('back', 1);
  }

  /** One end always goes on; the other only if the estimate says that something is left for it. */
  function askMore(): void {
    for (const end of ['front', 'back'] as const) {
      if (asked.has(end)) continue;
      const isNeeded = asked.size === 0 && end === 'front';
      const left =
        shareBetween(part, beginning, stands.front, stands.back) * seen - asked.size * perPage;
      if (!isNeeded && !(isUrgent() && stands.back !== undefined && left > perPage / 10)) continue;
      // A little more than what is left, so that the ends meet. A whole page would repeat what the
      // other end reads.
      const limit =
        asked.size > 0 && left < perPage ? Math.ceil(left * 1.02) + 2 : Number.POSITIVE_INFINITY;
      const least = Math.min(limit, side.pageItems ?? Number.POSITIVE_INFINITY);
      ask(end, Number.isFinite(least) ? least : undefined);
    }
  }

  try {
    for (askBeginning(); ; askMore()) {
      const { end, items, lastKey } = await Promise.race(asked.values());
      asked.delete(end);
      const fresh = items.filter((item) => !isBeyond(side, end, item, stands));
      if (end === 'front') {
        beginning ??= fresh[0];
        seen += fresh.length;
        // The last request is smaller than a page, and may arrive before the full page of the other
        // end.
        perPage = Math.max(perPage, items.length);
      }
      const before = { ...stands };
      const cursorAfter = (item: WireItem) => cursorAt(part, { ...before, [end]: item });
      if (lastKey !== undefined) stands[end] = lastKey;
      const { front, back } = stands;
      const haveMet =
        front !== undefined && back !== undefined && compareKeys(part, front, back) >= 0;
      if (lastKey === undefined || haveMet) {
        yield { items: fresh, cursorAfter };
        return;
      }
      yield { items: fresh, cursor: cursorAt(part, stands), cursorAfter };
    }
  } finally {
    await Promise.allSettled(asked.values());
  }
}

const cursorAt = (part: DynamoDbPart, { front, back }: { front?: AnyItem; back?: AnyItem }) =>
  JSON.stringify([front, back].map((item) => item && cursorOf(part, item)));

/** Whether the other end has read this item while this page was under way. */
function isBeyond(
  { part }: RangeSide,
  end: End,
  item: WireItem,
  { front, back }: { front?: Item; back?: Item },
): boolean {
  if (end === 'front') return back !== undefined && compareKeys(part, item, back) >= 0;
  return front !== undefined && compareKeys(part, item, front) <= 0;
}

function standsOf(
  { part, partition }: RangeSide,
  cursor: string | undefined,
): { front?: Item; back?: Item } {
  const parsed: unknown = cursor === undefined ? [] : JSON.parse(cursor);
  const [front, back]: unknown[] = Array.isArray(parsed) ? parsed : [];
  return {
    ...(typeof front === 'string' && { front: startKey(part, partition, front) }),
    ...(typeof back === 'string' && { back: startKey(part, partition, back) }),
  };
}

async function query(
  { client, table, part, partition }: RangeSide,
  end: End,
  { front, back }: { front?: Item; back?: Item },
  content: 'items' | 'keys',
  limit: number | undefined,
): Promise<Arrival> {
  const [from, to] = end === 'front' ? [front, back] : [back, front];
  const sortKey = part.sortKey?.name;
  const bound: AttributeValue | undefined = sortKey === undefined ? undefined : to?.[sortKey];
  const names = sortKey === undefined ? ['#p'] : ['#p', '#s'];
  const needsSortKey = bound !== undefined || content === 'keys';
  const { page } = await queryItems(client, {
    TableName: table,
    ConsistentRead: true,
    ScanIndexForward: end === 'front',
    KeyConditionExpression: `#p = :p${bound === undefined ? '' : ` AND #s ${end === 'front' ? '<' : '>'} :s`}`,
    ExpressionAttributeNames: {
      '#p': part.partitionKey,
      ...(needsSortKey && sortKey !== undefined && { '#s': sortKey }),
    },
    ExpressionAttributeValues: {
      ':p': partitionValue(part, partition),
      ...(bound !== undefined && { ':s': bound }),
    },
    ...(content === 'keys' && { ProjectionExpression: names.join(', ') }),
    ...(from !== undefined && { ExclusiveStartKey: { ...from } }),
    Limit: limitOf(part, limit),
  });
  const { Items: items = [], LastEvaluatedKey: lastKey } = page;
  const cursor = cursorAfter(part, lastKey);
  return {
    end,
    items,
    lastKey: cursor === undefined ? undefined : startKey(part, partition, cursor),
  };
}

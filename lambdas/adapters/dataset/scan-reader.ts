/**
 * Reads a range that is found only by a scan: the whole table, or a segment of it, in parallel
 * requests, of which only the tenant's items come back. Every read is strongly consistent.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart } from '../../domain/datasets/dataset.ts';
import { defined } from '../../domain/defined.ts';
import { PermanentError } from '../../domain/refusal.ts';
import { identityOf, keyOf, type WireItem } from './item-key.ts';
import { itemsAt, queryItems, type Scanned, scanItems } from './item-wire.ts';
import type { RangeSide } from './range-reader.ts';

/** Requests of one worker at once, each of up to 1 MB and for a share of the range's segment. */
const AT_ONCE = 16;
/** DynamoDB's limit of keys in one BatchGetItem. */
const MOST_KEYS = 100;

/** Where each of these shares stands: `null` at its beginning, `'end'` at its end. */
type Positions = readonly (WireItem | 'end' | null)[];

/** `cursor` is where the next page starts, and absent on the last one. */
export interface ScanPage {
  readonly items: readonly WireItem[];
  /** The mean size of all items that were read, of whichever tenant. */
  readonly bytesEach: number;
  readonly cursor?: string;
}

/** `keys`: of each item only its key, the tenant and the expiry. */
export async function* scanPages(
  side: RangeSide,
  cursor: string | undefined,
  what: 'items' | 'keys',
): AsyncGenerator<ScanPage> {
  let positions: Positions = cursor === undefined ? beginning(side) : JSON.parse(cursor);
  do {
    const pages = await Promise.all(
      positions.map((position, share) =>
        position === 'end' ? undefined : sharePage(side, share, positions.length, position, what),
      ),
    );
    positions = pages.map((page) => page?.LastEvaluatedKey ?? 'end');
    const hasEnded = positions.every((position) => position === 'end');
    yield {
      items: pages.flatMap((page) => page?.Items ?? []),
      bytesEach: meanSize(pages),
      ...(!hasEnded && { cursor: JSON.stringify(positions) }),
    };
    if (hasEnded) return;
  } while (true);
}

/** A strongly consistent read costs a unit for each 4 KB. */
function meanSize(pages: readonly (Scanned | undefined)[]): number {
  const total = (of: (page: Scanned) => number | undefined) =>
    pages.reduce((sum, page) => sum + ((page && of(page)) ?? 0), 0);
  const units = total(({ ConsumedCapacity: consumed }) => consumed?.CapacityUnits);
  return (
    (units * 4096) /
    Math.max(
      1,
      total(({ ScannedCount: count }) => count),
    )
  );
}

const beginning = ({ scansAtOnce = AT_ONCE }: RangeSide): Positions =>
  Array.from({ length: scansAtOnce }, () => null);

function sharePage(
  { client, table, part, partition, pageItems, segment }: RangeSide,
  share: number,
  shares: number,
  position: WireItem | null,
  what: 'items' | 'keys',
) {
  const { at, of } = segment ?? { at: 0, of: 1 };
  const attribute = attributeOf(part);
  const names = namesOf(part, what);
  return scanItems(client, {
    TableName: table,
    ConsistentRead: true,
    Segment: at * shares + share,
    TotalSegments: of * shares,
    FilterExpression:
      attribute === undefined ? 'begins_with(#partition, :tenant)' : '#tenant = :tenant',
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: { ':tenant': { S: partition } },
    ReturnConsumedCapacity: 'TOTAL',
    ...(what === 'keys' && { ProjectionExpression: Object.keys(names).join(', ') }),
    ...defined({ Limit: pageItems }),
    ...(position !== null && { ExclusiveStartKey: fromWire(position) }),
  });
}

/** The attributes that the filter reads, and those that `keys` consist of, each once. */
function namesOf(part: DynamoDbPart, what: 'items' | 'keys'): Record<string, string> {
  const { partitionKey, ttlAttribute } = part;
  const attribute = attributeOf(part);
  const owner =
    attribute === undefined
      ? (['#partition', partitionKey] as const)
      : (['#tenant', attribute] as const);
  const keys =
    what === 'items'
      ? []
      : [
          ...keyNames(part),
          ...(ttlAttribute === undefined ? [] : [['#ttl', ttlAttribute] as const]),
        ];
  return Object.fromEntries(
    [owner, ...keys].filter(
      ([, name], at, all) => all.findIndex(([, other]) => other === name) === at,
    ),
  );
}

const keyNames = ({ partitionKey, sortKey }: DynamoDbPart): (readonly [string, string])[] => [
  ['#partition', partitionKey],
  ...(sortKey === undefined ? [] : [['#sort', sortKey.name] as const]),
];

/** The attribute that holds the tenant; `undefined` where the partition keys begin with it. */
export function attributeOf({ name, discover }: DynamoDbPart): string | undefined {
  if (discover === undefined) throw new Error(`part ${name} is not scanned`);
  return discover.attribute;
}

/**
 * The items that an index finds, page by page, as they are in the table at that time. An index is
 * read with delay: it may lack what is new, and name what is another tenant's by now or is gone.
 */
export async function* indexPages(
  side: RangeSide,
  cursor: string | undefined,
): AsyncGenerator<Pick<ScanPage, 'items' | 'cursor'>> {
  const { client, table, part, partition, pageItems } = side;
  if (part.discover?.by !== 'index') throw new Error(`part ${part.name} has no index`);
  const { index, attribute } = part.discover;
  const keys = keyNames(part);
  let next: WireItem | undefined = cursor === undefined ? undefined : JSON.parse(cursor);
  do {
    const { page } = await queryItems(client, {
      TableName: table,
      IndexName: index,
      KeyConditionExpression: '#tenant = :tenant',
      ExpressionAttributeNames: { '#tenant': attribute, ...Object.fromEntries(keys) },
      ExpressionAttributeValues: { ':tenant': { S: partition } },
      ProjectionExpression: keys.map(([name]) => name).join(', '),
      ...defined({ Limit: pageItems }),
      ...(next !== undefined && { ExclusiveStartKey: fromWire(next) }),
    });
    next = page.LastEvaluatedKey;
    const found = await itemsUnder(
      side,
      (page.Items ?? []).map((item) => keyOf(part, item)),
    );
    yield {
      items: found.filter((item) => item[attribute]?.S === partition),
      ...(next !== undefined && { cursor: JSON.stringify(next) }),
    };
  } while (next !== undefined);
}

/** A key as the SDK takes it: bytes are no text. */
const fromWire = (key: WireItem): Record<string, AttributeValue> =>
  Object.fromEntries(
    Object.entries(key).map(([name, value]): [string, AttributeValue] => {
      if (value.B !== undefined)
        return [name, { B: new Uint8Array(Buffer.from(value.B, 'base64')) }];
      return [name, value.N === undefined ? { S: value.S ?? '' } : { N: value.N }];
    }),
  );

/**
 * The items that the other side has under the keys of these, by `identityOf`. Throws where one of
 * them is another tenant's: an entity's id must be used once, whichever the realm.
 */
export async function counterparts(
  side: RangeSide,
  items: readonly WireItem[],
): Promise<ReadonlyMap<string, WireItem>> {
  const { table, part, partition, partitions = [partition] } = side;
  const attribute = attributeOf(part);
  const found = await itemsUnder(
    side,
    items.map((item) => keyOf(part, item)),
  );
  const isOurs = (item: WireItem) =>
    attribute === undefined || partitions.includes(item[attribute]?.S ?? '');
  if (!found.every(isOurs))
    throw new PermanentError(
      `part "${part.name}": table ${table} has an item of another tenant under a key of this one: ids must differ in all realms`,
    );
  return new Map(found.map((item) => [identityOf(part, item), item]));
}

async function itemsUnder(
  { client, table }: RangeSide,
  keys: readonly WireItem[],
): Promise<readonly WireItem[]> {
  const batches = Array.from({ length: Math.ceil(keys.length / MOST_KEYS) }, (_, at) =>
    keys.slice(at * MOST_KEYS, (at + 1) * MOST_KEYS),
  );
  return (await Promise.all(batches.map((some) => itemsAt(client, table, some)))).flat();
}

/**
 * Reads a range that is found only by a scan: the whole table, in parallel segments, of which only
 * the tenant's items come back. Every read is strongly consistent.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart } from '../../domain/datasets/dataset.ts';
import { defined } from '../../domain/defined.ts';
import { PermanentError } from '../../domain/refusal.ts';
import { identityOf, keyOf, type WireItem } from './item-key.ts';
import { itemsAt, type Scanned, scanItems } from './item-wire.ts';
import type { RangeSide } from './range-reader.ts';

/** Segments of a table that one worker reads at once, each up to 1 MB at a time. */
const SEGMENTS = 16;
/** DynamoDB's limit of keys in one BatchGetItem. */
const MOST_KEYS = 100;

/** Where each segment stands: `null` at its beginning, `'end'` at its end. */
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
      positions.map((position, segment) =>
        position === 'end'
          ? undefined
          : segmentPage(side, segment, positions.length, position, what),
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

const beginning = ({ segments = SEGMENTS }: RangeSide): Positions =>
  Array.from({ length: segments }, () => null);

function segmentPage(
  { client, table, part, partition, pageItems }: RangeSide,
  segment: number,
  of: number,
  position: WireItem | null,
  what: 'items' | 'keys',
) {
  const names = namesOf(part);
  return scanItems(client, {
    TableName: table,
    ConsistentRead: true,
    Segment: segment,
    TotalSegments: of,
    FilterExpression: '#tenant = :tenant',
    ExpressionAttributeNames: what === 'keys' ? names : { '#tenant': attributeOf(part) },
    ExpressionAttributeValues: { ':tenant': { S: partition } },
    ReturnConsumedCapacity: 'TOTAL',
    ...(what === 'keys' && { ProjectionExpression: Object.keys(names).join(', ') }),
    ...defined({ Limit: pageItems }),
    ...(position !== null && { ExclusiveStartKey: fromWire(position) }),
  });
}

/** The attributes that `keys` consist of. */
const namesOf = (part: DynamoDbPart): Record<string, string> =>
  Object.fromEntries(
    [
      ['#tenant', attributeOf(part)],
      ['#partition', part.partitionKey],
      ...(part.sortKey === undefined ? [] : [['#sort', part.sortKey.name]]),
      ...(part.ttlAttribute === undefined ? [] : [['#ttl', part.ttlAttribute]]),
    ].filter(([, name], at, all) => all.findIndex(([, other]) => other === name) === at),
  );

export function attributeOf({ name, discover }: DynamoDbPart): string {
  if (discover === undefined) throw new Error(`part ${name} is not scanned`);
  return discover.attribute;
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
  { client, table, part, partition }: RangeSide,
  items: readonly WireItem[],
): Promise<ReadonlyMap<string, WireItem>> {
  const keys = items.map((item) => keyOf(part, item));
  const batches = Array.from({ length: Math.ceil(keys.length / MOST_KEYS) }, (_, at) =>
    keys.slice(at * MOST_KEYS, (at + 1) * MOST_KEYS),
  );
  const found = (await Promise.all(batches.map((some) => itemsAt(client, table, some)))).flat();
  for (const item of found)
    if (item[attributeOf(part)]?.S !== partition)
      throw new PermanentError(
        `part "${part.name}": table ${table} has an item of another tenant under a key of this one: ids must differ in all realms`,
      );
  return new Map(found.map((item) => [identityOf(part, item), item]));
}

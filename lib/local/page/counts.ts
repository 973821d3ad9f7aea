/**
 * Counts the items and objects that each tenant has in each part of a realm. To cost little, it
 * counts again only what was written to.
 */
import { paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import {
  type DynamoDBDocumentClient,
  NumberValue,
  paginateQuery,
  paginateScan,
} from '@aws-sdk/lib-dynamodb';
import { type DynamoDbPart, partitionsOf } from '../../../lambdas/domain/datasets/dataset.ts';
import { typeOfMade } from '../../../lambdas/domain/datasets/key-template.ts';
import type { KeyValues } from '../../../lambdas/domain/datasets/key-values.ts';
import type { S3Part } from '../../../lambdas/domain/datasets/s3-part.ts';
import type { DynamoDbCall } from '../dynamodb/embedded-dynamodb.ts';
import type { S3Call } from '../s3/embedded-s3.ts';

/** Which tables, partitions and buckets have been written to since they were read. */
export interface Writes {
  /** Called by the embedded DynamoDB at each call. */
  hear(call: DynamoDbCall): void;
  /** Called by the embedded S3 at each call. */
  hearOfObject(call: Pick<S3Call, 'operation' | 'bucket'>): void;
  /** True where a write came since the last `take`. */
  has(table: string, partition?: string): boolean;
  /** Marks the place as read. */
  take(table: string, partition?: string): void;
  /** Marks the place as unread again, because the read failed. */
  giveBack(table: string, partition?: string): void;
  /** Marks every place as unread. */
  forget(): void;
  /**
   * Another number after each write into the table or bucket; 0 where it has never been written to.
   */
  revision(place: string): number;
}

const WRITES: readonly string[] = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'];
const WRITES_OF_OBJECTS: readonly string[] = [
  'PutObject',
  'CopyObject',
  'CompleteMultipartUpload',
  'DeleteObject',
  'DeleteObjects',
];

/** `isEmpty`: the store was empty at the start; otherwise every place counts as unread. */
export function writes(isEmpty: boolean): Writes {
  const noted = new Map<string, boolean>();
  const revisions = new Map<string, number>();
  let otherwise = !isEmpty;
  let forgotten = isEmpty ? 0 : 1;
  return {
    hear({ operation, input }) {
      if (!WRITES.includes(operation)) return;
      for (const { table, item } of writtenBy(input)) {
        noted.set(placeOf(table), true);
        revisions.set(table, (revisions.get(table) ?? 0) + 1);
        for (const value of Object.values(item)) {
          const text = textOf(value);
          if (text !== undefined && text.length <= MAX_KEY) noted.set(placeOf(table, text), true);
        }
      }
    },
    hearOfObject({ operation, bucket }) {
      if (WRITES_OF_OBJECTS.includes(operation))
        revisions.set(bucket, (revisions.get(bucket) ?? 0) + 1);
    },
    has: (table, partition) => noted.get(placeOf(table, partition)) ?? otherwise,
    take: (table, partition) => {
      noted.set(placeOf(table, partition), false);
    },
    giveBack: (table, partition) => {
      noted.set(placeOf(table, partition), true);
    },
    forget() {
      noted.clear();
      otherwise = true;
      forgotten += 1;
    },
    revision: (place) => forgotten + (revisions.get(place) ?? 0),
  };
}

/** Largest partition key in bytes. */
const MAX_KEY = 2_048;

const placeOf = (table: string, partition = ''): string => `${table}\n${partition}`;

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields => ({ ...(typeof value === 'object' ? value : {}) });

/**
 * The value of an attribute that can be a key: text, the digits of a number, or bytes in base64.
 */
function textOf(value: unknown): string | undefined {
  const { S: text, N: digits, B: bytes } = fieldsOf(value);
  return [text, digits, bytes].find((one) => typeof one === 'string');
}

/** Keys are among the attributes, under any name. */
function writtenBy(input: Fields): { readonly table: string; readonly item: Fields }[] {
  const { TableName: table, RequestItems: requests, Item: item, Key: key } = input;
  if (table !== undefined) return [{ table: String(table), item: fieldsOf(item ?? key) }];
  return Object.entries(fieldsOf(requests)).flatMap(([name, several]) =>
    (Array.isArray(several) ? several : []).map((request: unknown) => {
      const { PutRequest: put, DeleteRequest: removal } = fieldsOf(request);
      return { table: name, item: fieldsOf(fieldsOf(put)['Item'] ?? fieldsOf(removal)['Key']) };
    }),
  );
}

/** The share of time that counting may take where there is much to count. */
const SHARE = 0.2;
const PAUSE_MS = 1_000;

/**
 * Runs `work` at most once per `pauseMs`, and for at most a fifth of the time; `now` runs it at
 * once.
 */
export function seldom(
  work: () => Promise<void>,
  pauseMs = PAUSE_MS,
): (now?: 'now') => Promise<void> {
  let notBefore = 0;
  return async (now) => {
    if (now === undefined && performance.now() < notBefore) return;
    const begun = performance.now();
    notBefore = Number.POSITIVE_INFINITY;
    try {
      await work();
    } finally {
      const took = performance.now() - begun;
      notBefore = performance.now() + Math.max(pauseMs - took, took / SHARE - took);
    }
  };
}

/** How many items, or objects with so many bytes. */
interface Counted {
  readonly count: number;
  readonly bytes: number;
}

const countIn = async (holding: Holding, partition: string): Promise<Counted> =>
  'bucket' in holding
    ? countUnder(holding, partition)
    : { count: await countOfItems(holding, partition), bytes: 0 };

async function countUnder({ objects, bucket }: Bucketful, Prefix: string): Promise<Counted> {
  let [count, bytes] = [0, 0];
  const pages = paginateListObjectsV2(
    { client: objects },
    { Bucket: bucket, Prefix, EncodingType: 'url' },
  );
  for await (const { Contents = [] } of pages) {
    count += Contents.length;
    bytes += Contents.reduce((sum, { Size = 0 }) => sum + Size, 0);
  }
  return { count, bytes };
}

/** Counts the items of one partition; no item travels. */
async function countOfItems({ client, table, part }: Tableful, partition: string): Promise<number> {
  let count = 0;
  const asked = {
    TableName: table,
    Select: 'COUNT' as const,
    ConsistentRead: true,
    ExpressionAttributeNames: { '#partition': part.discover?.attribute ?? part.partitionKey },
    ExpressionAttributeValues: { ':partition': documentOf(part, partition) },
  };
  const isPrefix = part.discover?.prefix !== undefined;
  const isOfTenant = isPrefix ? 'begins_with(#partition, :partition)' : '#partition = :partition';
  const pages =
    part.discover === undefined
      ? paginateQuery({ client }, { ...asked, KeyConditionExpression: isOfTenant })
      : paginateScan({ client }, { ...asked, FilterExpression: isOfTenant });
  for await (const page of pages) count += page.Count ?? 0;
  return count;
}

/** A partition key as the document client takes it. */
function documentOf(part: DynamoDbPart, partition: string) {
  const keyType = typeOfMade(part);
  if (keyType === 'B') return Buffer.from(partition, 'base64');
  return keyType === 'N' ? NumberValue.from(partition) : partition;
}

interface Tableful {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly part: DynamoDbPart;
  readonly values: KeyValues;
}

interface Bucketful {
  readonly objects: S3Client;
  readonly bucket: string;
  readonly part: S3Part;
  readonly values: KeyValues;
}

/** The partitions, or prefixes, of one part of one tenant, in one realm. */
export type Holding = Tableful | Bucketful;

const nameOf = (holding: Holding): string => ('bucket' in holding ? holding.bucket : holding.table);

/** Keeps its counts by table or bucket, and partition. */
export function itemCounts(written: Writes) {
  const counted = new Map<string, Counted>();
  /**
   * The revision of a bucket or a scanned table when a tenant was counted: a deletion there names
   * no tenant.
   */
  const seen = new Map<string, number>();
  let next = 0;

  const hasNews = (holding: Holding, partition: string): boolean => {
    const name = nameOf(holding);
    return holding.part.kind === 'dynamodb' && holding.part.discover === undefined
      ? written.has(name, partition)
      : written.revision(name) !== (seen.get(placeOf(name, partition)) ?? 0);
  };
  const countOf = (holding: Holding, partition: string): Counted | undefined =>
    counted.get(placeOf(nameOf(holding), partition)) ??
    (hasNews(holding, partition) ? undefined : { count: 0, bytes: 0 });

  function sumOf(holding: Holding, of: keyof Counted): number | undefined {
    let sum = 0;
    for (const partition of partitionsOf(holding.part, holding.values)) {
      const found = countOf(holding, partition);
      if (found === undefined) return undefined;
      sum += found[of];
    }
    return sum;
  }

  return {
    /** `undefined` while one of the partitions has not been counted yet. */
    of: (holding: Holding) => sumOf(holding, 'count'),
    /** The bytes of objects; `undefined` for items, and while they are not counted. */
    bytesOf: (holding: Holding) => ('bucket' in holding ? sumOf(holding, 'bytes') : undefined),
    /** True where every partition was counted, and none written to since. */
    isFresh: (holding: Holding): boolean =>
      partitionsOf(holding.part, holding.values).every(
        (partition) => countOf(holding, partition) !== undefined && !hasNews(holding, partition),
      ),
    /** True where a partition was written to since it was counted. */
    isStale: (holding: Holding): boolean =>
      partitionsOf(holding.part, holding.values).some((partition) => hasNews(holding, partition)),
    /** Counts again what was written to, for at most `ms`; the next call goes on from there. */
    async recount(holdings: readonly Holding[], ms: number): Promise<void> {
      const end = performance.now() + ms;
      const due = holdings
        .flatMap((holding) =>
          partitionsOf(holding.part, holding.values).map((partition) => ({ holding, partition })),
        )
        .filter(({ holding, partition }) => hasNews(holding, partition));
      const isNew = ({ holding, partition }: (typeof due)[number]) =>
        countOf(holding, partition) === undefined;
      next = due.length === 0 ? 0 : next % due.length;
      const inTurn = [...due.filter(isNew), ...due.slice(next), ...due.slice(0, next)];
      for (const { holding, partition } of inTurn) {
        if (performance.now() > end) return;
        if (!hasNews(holding, partition)) continue;
        next += 1;
        const name = nameOf(holding);
        const place = placeOf(name, partition);
        const before = seen.get(place);
        written.take(name, partition);
        seen.set(place, written.revision(name));
        try {
          counted.set(place, await countIn(holding, partition));
        } catch (error) {
          written.giveBack(name, partition);
          if (before === undefined) seen.delete(place);
          else seen.set(place, before);
          throw error;
        }
      }
    },
  };
}

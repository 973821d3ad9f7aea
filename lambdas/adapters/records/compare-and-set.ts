/** One item, one conditional write: the only way in which tenants and ledger change. */
import { randomInt } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
} from '@aws-sdk/lib-dynamodb';
import { Fault } from '../../domain/refusal.ts';
import type { Change, Decide } from '../../ports.ts';

export type Item = Readonly<Record<string, unknown>>;
type Key = Readonly<Record<string, string>>;

/** Somebody wrote in between this often: something is wrong, and trying again later is better. */
const MOST_TRIES = 12;

export interface Cells<T> {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly toItem: (record: T) => Item;
  readonly fromItem: (item: Item) => T;
}

/** Reads strongly consistently; `revision` is 0 where there is no item. */
export async function readCell<T>({ client, table, fromItem }: Cells<T>, key: Key) {
  const { Item: item } = await translated(table, () =>
    client.send(new GetCommand({ TableName: table, Key: key, ConsistentRead: true })),
  );
  return { record: item && fromItem(item), revision: revisionOf(item) };
}

/** Writes `record` if the stored revision is still `revision`; `false` when somebody else wrote. */
export async function putCell<T>(
  { client, table, toItem }: Cells<T>,
  key: Key,
  record: T,
  revision: number,
  following = revision === 0 ? randomInt(2 ** 47) + 1 : revision + 1,
) {
  return conditionally(table, () =>
    client.send(
      new PutCommand({
        TableName: table,
        Item: { ...toItem(record), ...key, revision: following },
        ...isStill(key, revision),
      }),
    ),
  );
}

/**
 * Reads, decides, and writes unless somebody wrote in between; then it decides again. `prepare` runs between a decision
 * and its write, each time.
 */
export async function changeCell<T>(
  cells: Cells<T>,
  key: Key,
  decide: Decide<T>,
  prepare?: (next: T | 'remove', current: T | undefined) => Promise<void>,
): Promise<Change<T>> {
  for (let attempt = 0; attempt < MOST_TRIES; attempt += 1) {
    const { record, revision } = await readCell(cells, key);
    const next = decide(record);
    if (next === undefined) return { changed: false, record };
    await prepare?.(next, record);
    if (next === 'remove') {
      if (await removeCell(cells, key, revision)) return { changed: true, record: undefined };
    } else if (await putCell(cells, key, next, revision)) {
      return { changed: true, record: next };
    }
  }
  throw new Fault(
    `${cells.table}: a record changed ${MOST_TRIES} times while it was being changed`,
  );
}

async function removeCell<T>(
  { client, table }: Cells<T>,
  key: Key,
  revision: number,
): Promise<boolean> {
  return conditionally(table, () =>
    client.send(new DeleteCommand({ TableName: table, Key: key, ...isStill(key, revision) })),
  );
}

/** Clauses by name: either there is no such item, or it is the one that was read. */
function isStill(key: Key, revision: number) {
  const [partitionKey = ''] = Object.keys(key);
  if (revision === 0) {
    return {
      ConditionExpression: 'attribute_not_exists(#key)',
      ExpressionAttributeNames: { '#key': partitionKey },
    };
  }
  return {
    ConditionExpression: '#revision = :revision',
    ExpressionAttributeNames: { '#revision': 'revision' },
    ExpressionAttributeValues: { ':revision': revision },
  };
}

const revisionOf = (item: Item | undefined): number =>
  typeof item?.['revision'] === 'number' ? item['revision'] : 0;

async function conditionally(table: string, write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw faultOf(table, error);
  }
}

/** Any other error of the SDK is transient to whoever asked. */
export async function translated<T>(table: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw faultOf(table, error);
  }
}

const faultOf = (table: string, error: unknown): Fault =>
  new Fault(
    `${table} cannot be reached: ${error instanceof Error ? error.name : 'unknown error'}`,
    { cause: error },
  );

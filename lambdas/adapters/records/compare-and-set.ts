/**
 * One item, one conditional write: the only way in which tenants and ledger change. Each write stores a random revision of
 * its own. The SDK sends a write again when its reply was lost, and then hears that the condition fails: by the revision,
 * the writer finds that the item is its own, and that the write has happened.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
} from '@aws-sdk/lib-dynamodb';
import { Fault, PermanentError } from '../../domain/refusal.ts';
import type { Change, Decide } from '../../ports.ts';

export type Item = Readonly<Record<string, unknown>>;
type Key = Readonly<Record<string, string>>;

/**
 * How long a writer tries while others write the same item: a hook makes a few changes, and has 10 seconds for all. At least
 * so many tries are made, however long they take. Milliseconds.
 */
const LONGEST_TRYING = 2_500;
const FEWEST_TRIES = 3;
/** Before the next try, a random time passes: up to the first at first, twice as much after each try, the second at most. */
const FIRST_PAUSE = 8;
const LONGEST_PAUSE = 250;

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

/**
 * Writes `record` if the stored revision is still `revision`; the revision under which it is now stored, or `undefined` when
 * somebody else wrote.
 */
export async function putCell<T>(
  cells: Cells<T>,
  key: Key,
  record: T,
  revision: number,
): Promise<number | undefined> {
  const following = newRevision();
  if (await isPut(cells, key, record, revision, following)) return following;
  const { revision: stored } = await readCell(cells, key);
  return stored === following ? following : undefined;
}

/**
 * Reads, decides, and writes unless somebody wrote in between; then it decides again, after a random pause, for as long as
 * a hook can wait. `prepare` runs between a decision and its write, each time.
 */
export async function changeCell<T>(
  cells: Cells<T>,
  key: Key,
  decide: Decide<T>,
  prepare?: (next: T | 'remove', current: T | undefined) => Promise<void>,
): Promise<Change<T>> {
  const begun = performance.now();
  let tried: { readonly next: T; readonly revision: number } | undefined;
  for (let tries = 1; ; tries += 1) {
    const { record, revision } = await readCell(cells, key);
    if (tried !== undefined && tried.revision === revision)
      return { changed: true, record: tried.next };
    const next = decide(record);
    if (next === undefined) return { changed: false, record };
    await prepare?.(next, record);
    if (next === 'remove') {
      if (await removeCell(cells, key, revision)) return { changed: true, record: undefined };
      tried = undefined;
    } else {
      const following = newRevision();
      if (await isPut(cells, key, next, revision, following))
        return { changed: true, record: next };
      tried = { next, revision: following };
    }
    if (tries >= FEWEST_TRIES && performance.now() - begun > LONGEST_TRYING)
      throw new Fault(`${cells.table}: a record changed ${tries} times while it was being changed`);
    await pause(pauseBefore(tries));
  }
}

/** Milliseconds. Random, so that those who met at one item do not meet again. */
export const pauseBefore = (tries: number, random: () => number = Math.random): number =>
  random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tries - 1));

/** Never that of another write, so that a writer knows its own. */
const newRevision = (): number => randomInt(2 ** 47) + 1;

const isPut = <T>(
  { client, table, toItem }: Cells<T>,
  key: Key,
  record: T,
  revision: number,
  following: number,
): Promise<boolean> =>
  conditionally(table, () =>
    client.send(
      new PutCommand({
        TableName: table,
        Item: { ...toItem(record), ...key, revision: following },
        ...isStill(key, revision),
      }),
    ),
  );

/** A removal that the SDK made twice finds nothing the second time: the first has happened. */
async function removeCell<T>(cells: Cells<T>, key: Key, revision: number): Promise<boolean> {
  const { client, table } = cells;
  let wasRepeated = false;
  const isRemoved = await conditionally(
    table,
    () => client.send(new DeleteCommand({ TableName: table, Key: key, ...isStill(key, revision) })),
    (refused) => {
      wasRepeated = (refused.$metadata.attempts ?? 1) > 1;
    },
  );
  if (isRemoved || !wasRepeated) return isRemoved;
  return (await readCell(cells, key)).record === undefined;
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

async function conditionally(
  table: string,
  write: () => Promise<unknown>,
  onRefused?: (refused: ConditionalCheckFailedException) => void,
): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) {
      onRefused?.(error);
      return false;
    }
    throw faultOf(table, error);
  }
}

/** Any other error of the SDK is transient to whoever asked, unless the client has said what it is. */
export async function translated<T>(table: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw faultOf(table, error);
  }
}

function faultOf(table: string, error: unknown): Fault | PermanentError {
  if (error instanceof Fault || error instanceof PermanentError) return error;
  return new Fault(
    `${table} cannot be reached: ${error instanceof Error ? error.name : 'unknown error'}`,
    { cause: error },
  );
}

/**
 * Tenants and ledger change only here, by one conditional write of one item. Each write stores a
 * random revision of its own. The SDK sends a write again when its reply was lost, and then gets a
 * failed condition. By the revision, the writer finds that the stored item is its own, and that its
 * write has happened.
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
 * How long, in milliseconds, a writer tries while others write the same item: a hook makes a few
 * changes, and has 10 seconds for all. It makes at least `FEWEST_TRIES`, however long they take.
 */
const LONGEST_TRYING = 3_000;
const FEWEST_TRIES = 3;
/**
 * Before the next try, a random time passes: at most `FIRST_PAUSE` at first, twice as much after
 * each try, and never more than `LONGEST_PAUSE`. Milliseconds.
 */
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
 * Writes `record` if the stored revision is still `revision`. Returns the new revision; `undefined`
 * when another writer has written.
 */
export async function putCell<T>(
  cells: Cells<T>,
  key: Key,
  record: T,
  revision: number,
): Promise<number | undefined> {
  const following = newRevision();
  const written = await tryPut(cells, key, record, revision, following);
  if (written === 'refused') return undefined;
  if (written === 'done') return following;
  const { revision: stored } = await readCell(cells, key);
  return stored === following ? following : undefined;
}

/**
 * Reads, decides, and writes unless another writer wrote in between; then it decides again, after a
 * random pause, for as long as a hook can wait. `prepare` runs between each decision and its write.
 */
export async function changeCell<T>(
  cells: Cells<T>,
  key: Key,
  decide: Decide<T>,
  prepare?: (next: T | 'remove', current: T | undefined) => Promise<void>,
): Promise<Change<T>> {
  const mayTryAgain = patience();
  let tried: { readonly next: T; readonly revision: number } | undefined;
  for (;;) {
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
      if ((await tryPut(cells, key, next, revision, following)) === 'done')
        return { changed: true, record: next };
      tried = { next, revision: following };
    }
    if (!(await mayTryAgain()))
      throw new Fault(
        `${cells.table}: a record changed again and again while it was being changed`,
      );
  }
}

/**
 * For one writer: after a try that met another's write, waits a random time, so that the two do not
 * meet again, and returns whether there is time for the next try.
 */
export function patience(): () => Promise<boolean> {
  const begun = performance.now();
  let tries = 0;
  return async () => {
    tries += 1;
    if (tries >= FEWEST_TRIES && performance.now() - begun > LONGEST_TRYING) return false;
    await pause(Math.random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tries - 1)));
    return true;
  };
}

/** Differs from that of every other write, so that a writer recognises its own. */
const newRevision = (): number => randomInt(2 ** 47) + 1;

const tryPut = <T>(
  { client, table, toItem }: Cells<T>,
  key: Key,
  record: T,
  revision: number,
  following: number,
): Promise<Written> =>
  conditionally(table, () =>
    client.send(
      new PutCommand({
        TableName: table,
        Item: { ...toItem(record), ...key, revision: following },
        ...isStill(key, revision),
      }),
    ),
  );

/**
 * A removal that the SDK sent twice finds nothing the second time, because the first one has
 * happened.
 */
async function removeCell<T>(cells: Cells<T>, key: Key, revision: number): Promise<boolean> {
  const { client, table } = cells;
  const removed = await conditionally(table, () =>
    client.send(new DeleteCommand({ TableName: table, Key: key, ...isStill(key, revision) })),
  );
  if (removed !== 'refused-again') return removed === 'done';
  return (await readCell(cells, key)).record === undefined;
}

/** The condition of a write: there is no such item, or it is the one that was read. */
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

/** `refused-again`: the SDK has sent it more than once, and the first may have been written. */
type Written = 'done' | 'refused' | 'refused-again';

async function conditionally(table: string, write: () => Promise<unknown>): Promise<Written> {
  try {
    await write();
    return 'done';
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw faultOf(table, error);
    return error.$metadata.attempts === 1 ? 'refused' : 'refused-again';
  }
}

/** Any other error of the SDK is transient for the caller, unless the client has classified it. */
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

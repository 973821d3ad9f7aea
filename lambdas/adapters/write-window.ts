/**
 * Writes to one table as fast as it accepts: batches in flight at once, as many as an AIMD window allows (more with
 * every success, fewer with every throttle), whatever was left over packed into the next batch.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { DynamoDBClient, WriteRequest } from '@aws-sdk/client-dynamodb';
import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart } from '../domain/dataset.ts';
import type { Clock } from '../ports.ts';
import { isThrottle, isTransient } from './aws-errors.ts';
import { cursorOf } from './item-key.ts';

export interface WriteWindow {
  /** Resolves when all of these are acknowledged. All have one partition key and, among them, different sort keys. */
  write(requests: readonly WriteRequest[]): Promise<void>;
  /** Sends nothing more, and resolves when nothing is in flight. */
  close(): Promise<void>;
}

/** DynamoDB's limit. Items are at most 400 KB, so that a batch stays below its 16 MB. */
const BATCH = 25;
const FIRST_LIMIT = 4;
/** Beyond this many in flight, one process is bound by its CPU (measured). */
const LAST_LIMIT = 64;
/** How often a batch is sent that meets server and network faults. */
const TRIES = 5;
/** Without a single accepted write for so long, it is not a matter of speed any more. */
const STALLED_MS = 30_000;

interface Write {
  readonly id: string;
  readonly request: WriteRequest;
  readonly group: Group;
}

interface Group {
  outstanding: number;
  readonly acknowledged: PromiseWithResolvers<void>;
}

/** `client` must not retry by itself (`maxAttempts: 1`), or it hides the throttles from the window. */
export function writeWindow(
  client: DynamoDBClient,
  table: string,
  part: DynamoDbPart,
  clock: Clock,
): WriteWindow {
  const queue: Write[] = [];
  const inFlight = new Set<Promise<void>>();
  const pending = new Set<Group>();
  let limit = FIRST_LIMIT;
  let cuts = 0;
  let lastProgress = clock.now();
  let closed = false;
  let failure: { readonly error: unknown } | undefined;

  function write(requests: readonly WriteRequest[]): Promise<void> {
    const group: Group = { outstanding: requests.length, acknowledged: Promise.withResolvers() };
    group.acknowledged.promise.catch(() => {}); // whoever wrote may look at it much later
    if (failure !== undefined) group.acknowledged.reject(failure.error);
    else if (requests.length === 0) group.acknowledged.resolve();
    else {
      if (pending.size === 0) lastProgress = clock.now();
      pending.add(group);
      for (const request of requests) queue.push({ id: idOf(part, request), request, group });
      fill();
    }
    return group.acknowledged.promise;
  }

  async function close(): Promise<void> {
    closed = true;
    await Promise.all(inFlight);
  }

  /** A batch that is not full waits for more, unless nothing else is on its way. */
  function fill(): void {
    while (
      !closed &&
      inFlight.size < Math.floor(limit) &&
      queue.length >= (inFlight.size === 0 ? 1 : BATCH)
    ) {
      const flight = send(queue.splice(0, BATCH)).finally(() => {
        inFlight.delete(flight);
        fill();
      });
      inFlight.add(flight);
    }
  }

  async function send(batch: readonly Write[]): Promise<void> {
    const cutsBefore = cuts;
    try {
      const left = await offer(batch);
      acknowledge(batch, left);
      if (left.length === 0) return grow();
      cut(cutsBefore);
      await pause(10 + Math.random() * 40); // 10 to 50 ms, so that what was refused together does not come back together
      queue.unshift(...left);
    } catch (error) {
      fail(error);
    }
  }

  /** What DynamoDB has not taken. */
  async function offer(batch: readonly Write[]): Promise<readonly Write[]> {
    for (let tries = 1; ; tries += 1) {
      try {
        const { UnprocessedItems } = await client.send(
          new BatchWriteItemCommand({
            RequestItems: { [table]: batch.map(({ request }) => request) },
          }),
        );
        return leftOf(batch, UnprocessedItems?.[table] ?? []);
      } catch (error) {
        const stalled = clock.now() - lastProgress > STALLED_MS;
        if (isThrottle(error) && !stalled) return batch;
        if (!isTransient(error) || tries === TRIES || closed) throw error;
        await pause((0.5 + Math.random()) * 50 * 2 ** tries);
      }
    }
  }

  /** All of them, should DynamoDB name one in words that are not ours: writing twice is safe, not writing is not. */
  function leftOf(batch: readonly Write[], unprocessed: readonly WriteRequest[]): readonly Write[] {
    const ids = new Set(unprocessed.map((request) => idOf(part, request)));
    const left = batch.filter(({ id }) => ids.has(id));
    return left.length === unprocessed.length ? left : batch;
  }

  function acknowledge(batch: readonly Write[], left: readonly Write[]): void {
    if (left.length < batch.length) lastProgress = clock.now();
    const open = new Set(left);
    for (const one of batch) {
      if (open.has(one)) continue;
      one.group.outstanding -= 1;
      if (one.group.outstanding > 0) continue;
      pending.delete(one.group);
      one.group.acknowledged.resolve();
    }
  }

  /** Doubles with each round trip until the first throttle, then grows by one per round trip. */
  function grow(): void {
    limit = Math.min(LAST_LIMIT, limit + (cuts === 0 ? 1 : 1 / limit));
  }

  /** Batches that were under way when the window was cut say nothing about the new width. */
  function cut(cutsBefore: number): void {
    if (cutsBefore !== cuts) return;
    cuts += 1;
    limit = Math.max(1, limit * 0.8);
  }

  function fail(error: unknown): void {
    failure ??= { error };
    closed = true;
    for (const group of pending) group.acknowledged.reject(failure.error);
  }

  return { write, close };
}

/** Unique within a window, whose writes all have one partition key. */
const idOf = (part: DynamoDbPart, { PutRequest, DeleteRequest }: WriteRequest): string =>
  cursorOf(part, PutRequest?.Item ?? DeleteRequest?.Key ?? {});

/**
 * Writes to one table as fast as the table accepts: full batches, many in flight, at the rate of
 * `adaptive-rate.ts`. Writes that DynamoDB did not take go into the next batch.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { DynamoDBClient, WriteRequest } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart } from '../../domain/datasets/dataset.ts';
import type { Clock } from '../../ports.ts';
import { isThrottle, isTransient } from '../aws-errors.ts';
import { adaptiveRate } from './adaptive-rate.ts';
import { identityOf } from './item-key.ts';
import { fittingCount, type WireWrite, writeItems } from './item-wire.ts';

export interface WriteWindow {
  /**
   * Resolves when all of these are acknowledged. All have one partition key and, among them,
   * different sort keys.
   */
  write(writes: readonly WireWrite[]): Promise<void>;
  /** Sends nothing more, and resolves when nothing is in flight. */
  close(): Promise<void>;
  /** Writes that DynamoDB did not take at the first try; each refusal counts. */
  throttled(): number;
}

/** How often a batch is sent when the server or the network fails. */
const TRIES = 5;
/** After this time without one accepted write, throttling is treated as an error. */
const STALLED_MS = 30_000;

interface Write {
  readonly write: WireWrite;
  readonly group: Group;
}

interface Group {
  outstanding: number;
  readonly acknowledged: PromiseWithResolvers<void>;
}

/**
 * `client` must not retry by itself (`maxAttempts: 1`), or it hides the throttles from the window.
 * `rateLimit` is how many writes may be sent per second at most.
 */
export function writeWindow(
  client: DynamoDBClient,
  table: string,
  part: DynamoDbPart,
  clock: Clock,
  rateLimit?: number,
): WriteWindow {
  const queue: Write[] = [];
  const inFlight = new Set<Promise<void>>();
  const pending = new Set<Group>();
  const rate = adaptiveRate(undefined, rateLimit);
  let timer: NodeJS.Timeout | undefined;
  let lastProgress = clock.now();
  let closed = false;
  let throttled = 0;
  let failure: { readonly error: unknown } | undefined;

  function write(writes: readonly WireWrite[]): Promise<void> {
    const group: Group = { outstanding: writes.length, acknowledged: Promise.withResolvers() };
    group.acknowledged.promise.catch(() => {}); // the caller may await it much later
    if (failure !== undefined) group.acknowledged.reject(failure.error);
    else if (writes.length === 0) group.acknowledged.resolve();
    else {
      if (pending.size === 0) lastProgress = clock.now();
      pending.add(group);
      for (const one of writes) queue.push({ write: one, group });
      fill();
    }
    return group.acknowledged.promise;
  }

  async function close(): Promise<void> {
    closed = true;
    clearTimeout(timer);
    await Promise.all(inFlight);
    // What is still queued is not written any more; its callers must not wait for ever.
    for (const { acknowledged } of pending)
      acknowledged.reject(new Error('the window was closed before this was written'));
    pending.clear();
  }

  /** A batch that is not full waits for more, unless nothing else is on its way. */
  function fill(): void {
    clearTimeout(timer);
    while (!closed && inFlight.size < rate.width()) {
      const most = rate.batch();
      const size = fittingCount(writesOf(queue), most);
      const isFull = size === most || size < queue.length;
      if (size === 0 || (inFlight.size > 0 && !isFull)) return;
      const wait = rate.wait();
      if (wait > 0) {
        timer = setTimeout(fill, wait);
        return;
      }
      const flight = send(queue.splice(0, size)).finally(() => {
        inFlight.delete(flight);
        fill();
      });
      inFlight.add(flight);
    }
  }

  async function send(batch: readonly Write[]): Promise<void> {
    const sentAt = rate.now();
    rate.sent(batch.length);
    try {
      const left = await offer(batch);
      acknowledge(batch, left);
      rate.answered(sentAt, batch.length - left.length, left.length);
      throttled += left.length;
      queue.unshift(...left);
    } catch (error) {
      fail(error);
    }
  }

  /** Returns the writes that DynamoDB has not taken. */
  async function offer(batch: readonly Write[]): Promise<readonly Write[]> {
    for (let tries = 1; ; tries += 1) {
      try {
        const requests = batch.map(({ write }) => write);
        return leftOf(batch, await writeItems(client, table, requests));
      } catch (error) {
        const stalled = clock.now() - lastProgress > STALLED_MS;
        if (isThrottle(error) && !stalled) return batch;
        if (!isTransient(error) || tries === TRIES || closed) throw error;
        await pause((0.5 + Math.random()) * 50 * 2 ** tries);
      }
    }
  }

  /**
   * If an unprocessed write cannot be matched with ours, the whole batch is sent again: writing
   * twice is safe.
   */
  function leftOf(batch: readonly Write[], unprocessed: readonly WriteRequest[]): readonly Write[] {
    if (unprocessed.length === 0) return [];
    const ids = new Set(unprocessed.map((request) => idOf(part, request)));
    const left = batch.filter(({ write }) => ids.has(write.id));
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

  function fail(error: unknown): void {
    failure ??= { error };
    closed = true;
    for (const group of pending) group.acknowledged.reject(failure.error);
  }

  return { write, close, throttled: () => throttled };
}

function* writesOf(queue: readonly Write[]): Generator<WireWrite> {
  for (const { write } of queue) yield write;
}

/** Unique within a window, whose writes all have one partition key. */
function idOf(part: DynamoDbPart, { PutRequest, DeleteRequest }: WriteRequest): string {
  return identityOf(part, PutRequest?.Item ?? DeleteRequest?.Key ?? {});
}

/** The part kind over DynamoDB copes with DynamoDB under load. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { BATCH, MOST_IN_FLIGHT } from '../../../lambdas/adapters/dataset/adaptive-rate.ts';
import type { Item } from '../../../lambdas/adapters/dataset/item-key.ts';
import type { Range } from '../../../lambdas/domain/datasets/dataset.ts';
import { EMPTY_DIGEST, isSame } from '../../../lambdas/domain/datasets/digest.ts';
import type { Checkpoint, Horizon } from '../../../lambdas/ports.ts';
import type { DynamoDbCall, InjectedFault } from '../../../lib/local/dynamodb/embedded-dynamodb.ts';
import { dynamoDbPartKindHost } from '../../support/dynamodb-part-kind-host.ts';
import { PARTS, type PartKindHost } from '../../support/part-kind-suite.ts';

describe('a DynamoDB under load', () => {
  const range: Range = { id: 'notes/00', part: 'notes', partition: 'tenant-1' };
  const horizon: Horizon = { asOf: 1_000, lastingUntil: 2_000 };
  const items = (count: number, text = 'x'): readonly Item[] =>
    Array.from({ length: count }, (_, index) => ({
      tenant: { S: 'tenant-1' },
      id: { S: String(index).padStart(6, '0') },
      text: { S: text },
    }));

  let host: PartKindHost | undefined;
  let writes: DynamoDbCall[] = [];
  afterEach(async () => {
    await host?.close();
    host = undefined;
  });

  /** Counts the batches that are written in `de`; `fault` may spoil any of them. */
  async function start(
    fault: (batch: number) => InjectedFault | undefined,
    pageItems = 100,
  ): Promise<PartKindHost> {
    writes = [];
    const inject = (call: DynamoDbCall) => {
      if (call.region !== 'de-test-1' || call.operation !== 'BatchWriteItem') return undefined;
      writes.push(call);
      return fault(writes.length);
    };
    host = await dynamoDbPartKindHost(
      { parts: PARTS, realms: ['us', 'de'], clock: { now: Date.now }, pageItems },
      { inject },
    );
    return host;
  }

  async function copyAll({ kind, read }: PartKindHost): Promise<Checkpoint | undefined> {
    let last: Checkpoint | undefined;
    for await (const checkpoint of kind.copy(
      range,
      'us',
      'de',
      horizon,
      undefined,
      Number.POSITIVE_INFINITY,
    )) {
      last = checkpoint;
      expect((await read('de', 'notes', 'tenant-1')).length).toBeGreaterThanOrEqual(
        checkpoint.changed,
      );
    }
    expect(await read('de', 'notes', 'tenant-1')).toEqual(await read('us', 'notes', 'tenant-1'));
    return last;
  }

  test('is written no faster than a rate limit allows, in pages that the rate limit lets through in time', async () => {
    const { kind, put, read } = await start(() => undefined, 1_000);
    await put('us', 'notes', items(60));
    const begun = performance.now();
    const reached: number[] = [];
    for await (const checkpoint of kind.copy(range, 'us', 'de', horizon, undefined, 1e15, 20))
      reached.push(checkpoint.changed);
    const seconds = (performance.now() - begun) / 1000;
    expect(60 / seconds).toBeLessThanOrEqual(24);
    expect(reached[0]).toBeLessThanOrEqual(40);
    expect(await read('de', 'notes', 'tenant-1')).toHaveLength(60);
  });

  test('fills its batches across pages', async () => {
    const db = await start(() => ({ delayMs: 5 }), 110);
    await db.put('us', 'notes', items(1_100));
    for await (const _ of db.kind.copy(
      range,
      'us',
      'de',
      horizon,
      undefined,
      Number.POSITIVE_INFINITY,
    ));
    expect(writes.length).toBeLessThan(50); // 44 full batches; page by page it would be 10 × 5
  });

  test.each<[string, InjectedFault]>([
    ['leaves items unprocessed', { unprocessed: 10 }],
    ['throttles the partition', { error: 'ProvisionedThroughputExceededException' }],
    ['throttles the caller', { error: 'ThrottlingException' }],
    ['limits the account', { error: 'RequestLimitExceeded' }],
    ['fails', { error: 'InternalServerError' }],
    ['is slow', { delayMs: 20 }],
    ['loses an answer', { lost: true }],
  ])('a copy is complete although it now and then %s', async (_, fault) => {
    const db = await start((batch) => (batch % 3 === 1 ? fault : undefined));
    await db.put('us', 'notes', items(500));
    expect(await copyAll(db)).toMatchObject({ done: true, changed: 500, digest: { items: 500 } });
  });

  test('a verification goes on although its key is read faster than it gives', async () => {
    let asked = 0;
    host = await dynamoDbPartKindHost(
      { parts: PARTS, realms: ['us', 'de'], clock: { now: Date.now }, pageItems: 40 },
      {
        // More often in a row than the SDK tries; then one answer is let through.
        inject({ operation }) {
          if (operation !== 'Query') return undefined;
          asked += 1;
          return asked < 6 ? { error: 'ProvisionedThroughputExceededException' } : undefined;
        },
      },
    );
    await host.put('us', 'notes', items(20));
    let last: Checkpoint | undefined;
    for await (const checkpoint of host.kind.digest(range, 'us', horizon, undefined, 1e15))
      last = checkpoint;
    expect(last).toMatchObject({ done: true, digest: { items: 20 } });
  });

  test('a purge is complete although items are left unprocessed', async () => {
    const db = await start((batch) =>
      batch % 2 === 1 && batch > 20 ? { unprocessed: 7 } : undefined,
    );
    await db.put('de', 'notes', items(500));
    let changed = 0;
    for await (const checkpoint of db.kind.purge(range, 'de', undefined, Number.POSITIVE_INFINITY))
      changed = checkpoint.changed;
    expect(changed).toBe(500);
    expect(await db.kind.isEmpty(range, 'de')).toBe(true);
  });

  test('making equal asks a distant source for several stretches of keys at once, and leaves none running', async () => {
    let [underWay, most, asked] = [0, 0, 0];
    host = await dynamoDbPartKindHost(
      { parts: PARTS, realms: ['us', 'de'], clock: { now: Date.now }, pageItems: 20 },
      {
        onRequest: async ({ operation, region }) => {
          if (operation !== 'Query' || region !== 'us-test-1') return;
          asked += 1;
          underWay += 1;
          most = Math.max(most, underWay);
          await pause(30);
          underWay -= 1;
        },
      },
    );
    const { put, read, kind } = host;
    await put('us', 'notes', items(300, 'new'));
    await put('de', 'notes', [...items(50, 'old'), ...items(290, 'new').slice(50)]);
    const restore = () => kind.restore(range, 'us', 'de', horizon, undefined, 1e15, 1e6);
    for await (const _ of restore()) break;
    expect(underWay).toBe(0);
    const before = asked;
    await pause(100);
    expect(asked).toBe(before);
    let last: Checkpoint | undefined;
    for await (const checkpoint of restore()) last = checkpoint;
    expect(last).toMatchObject({ done: true, digest: { items: 300 } });
    expect(most).toBeGreaterThanOrEqual(3);
    expect(await read('de', 'notes', 'tenant-1')).toEqual(await read('us', 'notes', 'tenant-1'));
  });

  test('an error that is final ends the copy, and is not tried again', async () => {
    const db = await start((batch) =>
      batch === 3 ? { error: 'AccessDeniedException' } : undefined,
    );
    await db.put('us', 'notes', items(500));
    await expect(copyAll(db)).rejects.toThrow(
      expect.objectContaining({ name: 'AccessDeniedException' }),
    );
    const sent = writes.length;
    await pause(100);
    expect(writes).toHaveLength(sent);
  });

  test('a server that keeps failing ends the copy after some tries', async () => {
    const db = await start(() => ({ error: 'InternalServerError' }));
    await db.put('us', 'notes', items(10));
    await expect(copyAll(db)).rejects.toThrow(
      expect.objectContaining({ name: 'InternalServerError' }),
    );
    expect(writes).toHaveLength(5);
  });

  test('nothing is written any more once a copy has been closed', async () => {
    const db = await start(() => ({ delayMs: 20 }));
    await db.put('us', 'notes', items(1_000));
    for await (const _ of db.kind.copy(
      range,
      'us',
      'de',
      horizon,
      undefined,
      Number.POSITIVE_INFINITY,
    ))
      break;
    const before = {
      sent: writes.length,
      stored: (await db.read('de', 'notes', 'tenant-1')).length,
    };
    await pause(100);
    expect(writes).toHaveLength(before.sent);
    expect(await db.read('de', 'notes', 'tenant-1')).toHaveLength(before.stored);
    expect(before.stored).toBeLessThan(1_000);
  });

  test('pages are of 1 MB where nothing else is said, and there is a checkpoint for each', async () => {
    const db = await start(() => undefined, 0);
    await db.put('us', 'notes', items(50, 'x'.repeat(100 * 1024)));
    const checkpoints: Checkpoint[] = [];
    for await (const checkpoint of db.kind.copy(
      range,
      'us',
      'de',
      horizon,
      undefined,
      Number.POSITIVE_INFINITY,
    )) {
      checkpoints.push(checkpoint);
    }
    expect(checkpoints.length).toBeGreaterThanOrEqual(4);
    expect(checkpoints.at(-1)).toMatchObject({ done: true, changed: 50 });
    expect(await db.kind.differences(range, 'us', 'de', horizon, 1)).toEqual([]);
  });

  test('the largest items arrive, also where each of their bytes travels as six', async () => {
    const db = await start((batch) => (batch === 1 ? { delayMs: 1_000 } : undefined), 0);
    const largest = items(12, '\u0001'.repeat(399_900));
    for (const item of largest) await db.put('us', 'notes', [item]);
    const copy = db.kind.copy(range, 'us', 'de', horizon, undefined, Number.POSITIVE_INFINITY);
    let last: Checkpoint | undefined;
    for await (const checkpoint of copy) last = checkpoint;
    expect(last).toMatchObject({ done: true, changed: 12, digest: { items: 12 } });
    expect(await db.kind.differences(range, 'us', 'de', horizon, 1)).toEqual([]);
    const ofBatch = writes.map(
      ({ input }) => Object.values(Object(input.RequestItems)).flat().length,
    );
    expect(Math.max(...ofBatch)).toBe(6); // 14 MB: the queue held more, and the request none
  });

  test('a worker that dies has written a window and a page at most beyond what it has recorded', async () => {
    const page = 800;
    const db = await start(() => undefined, page);
    await db.put('us', 'notes', items(6_000));
    const copy = db.kind.copy(range, 'us', 'de', horizon, undefined, Number.POSITIVE_INFINITY);
    const most = MOST_IN_FLIGHT * BATCH + page;
    for await (const { changed } of copy) {
      // A page, or what was written in a second, whichever comes first.
      expect(changed).toBeGreaterThan(0);
      // The record of that checkpoint is never written. Waits until writing stops:
      let written = 0;
      do {
        written = writes.length;
        await pause(300);
      } while (writes.length > written);
      break;
    }
    const stored = (await db.read('de', 'notes', 'tenant-1')).length;
    expect(stored).toBeLessThanOrEqual(most);
    expect(stored).toBeGreaterThan(most - page);
  });

  /** Takes this many checkpoints of the work; each takes a while to record. */
  async function interrupted(work: AsyncIterable<Checkpoint>, after: number) {
    let last: Checkpoint | undefined;
    let given = 0;
    for await (const checkpoint of work) {
      last = checkpoint;
      await pause(7);
      given += 1;
      if (given === after) break;
    }
    return last;
  }

  test('a copy and a purge go on in the middle of a page, and leave nothing out', async () => {
    const db = await start((batch) => ({ delayMs: (batch * 13) % 11 }), 400);
    await db.put('us', 'notes', items(3_000));
    const from: Checkpoint[] = [];
    for (const work of ['copy', 'purge'] as const) {
      let last: Checkpoint | undefined;
      while (!last?.done) {
        const pages =
          work === 'copy'
            ? db.kind.copy(range, 'us', 'de', horizon, last, Number.POSITIVE_INFINITY)
            : db.kind.purge(range, 'us', last, Number.POSITIVE_INFINITY);
        last = await interrupted(pages, 2);
        if (last === undefined) throw new Error(`the ${work} says nothing`);
        from.push(last);
      }
      if (work === 'purge') continue;
      expect(last.changed).toBe(3_000);
      let found = EMPTY_DIGEST;
      for await (const { digest } of db.kind.digest(
        range,
        'us',
        horizon,
        undefined,
        Number.POSITIVE_INFINITY,
      ))
        found = digest;
      expect(isSame(last.digest, found)).toBe(true);
      expect(await db.kind.differences(range, 'us', 'de', horizon, 1)).toEqual([]);
    }
    expect(await db.read('us', 'notes', 'tenant-1')).toEqual([]);
    expect(from.some(({ changed }) => changed % 400 !== 0 && changed < 3_000)).toBe(true);
  });
});

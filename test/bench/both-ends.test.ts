/**
 * The reader from both ends, against the stub in its own process and over HTTP: it reads nothing
 * twice and leaves nothing out.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stub, startStub } from '../../bench/stub/handle.ts';
import { readBothEnds } from '../../lambdas/adapters/dataset/both-ends.ts';
import type { DynamoDbPart } from '../../lambdas/domain/datasets/dataset.ts';

const region = 'us-east-1';
const part: DynamoDbPart = {
  kind: 'dynamodb',
  name: 'notes',
  policy: 'move',
  partitionKey: 'tenant',
  sortKey: { name: 'id', type: 'S' },
};

describe('reading from both ends', () => {
  let stub: Stub;
  let client: DynamoDBClient;
  beforeAll(async () => {
    stub = await startStub();
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    client = new DynamoDBClient({ endpoint: stub.url, region, credentials });
  });
  afterAll(async () => {
    client.destroy();
    await stub.close();
  });

  async function seed(items: number): Promise<void> {
    await stub.order({ do: 'reset' });
    const schema = { partitionKey: 'tenant', sortKey: 'id' };
    await stub.order({ do: 'create', region, table: 'notes', schema });
    const where = { region, table: 'notes', partition: 't' };
    await stub.order({ do: 'seed', ...where, items, itemBytes: 1000 });
  }

  /** The numbers of the items in the order of reading, over as many turns as it takes. */
  async function readAll(pagesPerTurn: number): Promise<readonly number[]> {
    const side = { client, table: 'notes', part, partition: 't', pageItems: undefined };
    const found: number[] = [];
    let cursor: string | undefined;
    do {
      let pages = 0;
      for await (const page of readBothEnds(side, cursor, 'items', () => true)) {
        found.push(...page.items.map(({ id }) => Number(id?.S?.slice(-8))));
        cursor = page.cursor;
        pages += 1;
        if (pages === pagesPerTurn) break;
      }
    } while (cursor !== undefined);
    return found;
  }

  test.each([0, 1, 2, 1_048, 1_049, 1_050, 1_500, 2_098, 3_147, 8_000])(
    'hands out each of %d items once, and reads next to nothing twice',
    async (items) => {
      await seed(items);
      const all = Array.from({ length: items }, (_, index) => index);
      expect([...(await readAll(Number.POSITIVE_INFINITY))].sort((a, b) => a - b)).toEqual(all);
      const { counts } = await stub.order({ do: 'count', region });
      const units = counts?.['notes']?.['Query']?.rcu ?? 0;
      expect(units).toBeLessThanOrEqual((items * 1000) / 4096 + 3 + items / 500);
    },
  );

  test('reads no page twice where the last few items overtake the page at the other end', async () => {
    await seed(6_000);
    client.middlewareStack.add(
      (next) => async (args) => {
        const isBack = 'ScanIndexForward' in args.input && args.input.ScanIndexForward === false;
        // The first read at the back takes one item, and is not one of its pages.
        if (isBack && Object(args.input).Limit !== 1) await pause(150);
        return next(args);
      },
      { name: 'slowBack', step: 'initialize' },
    );
    const found = await readAll(Number.POSITIVE_INFINITY);
    client.middlewareStack.remove('slowBack');
    expect(found).toHaveLength(6_000);
    const { counts } = await stub.order({ do: 'count', region });
    // A page takes 262 units.
    expect(counts?.['notes']?.['Query']?.rcu).toBeLessThan((6_000 * 1000) / 4096 + 100);
  });

  test.each([1, 2, 3])('goes on from its cursors, after %d pages each', async (pages) => {
    await seed(6_000);
    const all = Array.from({ length: 6_000 }, (_, index) => index);
    expect([...(await readAll(pages))].sort((a, b) => a - b)).toEqual(all);
  });
});

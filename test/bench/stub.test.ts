/** The stub DynamoDB of the benchmark: it pages, counts and throttles as DynamoDB does. */
import { describe, expect, test } from 'vitest';
import { Region } from '../../bench/stub/operations.ts';
import { itemJson } from '../../bench/stub/sample-items.ts';
import { partitionOf } from '../../bench/stub/store.ts';

function region(items: number, bytes = 1000): Region {
  const one = new Region();
  one.create('notes', { partitionKey: 'tenant', sortKey: 'id' });
  const table = one.tables.get('notes');
  if (table === undefined) throw new Error('the table was not created');
  for (let index = 0; index < items; index += 1) {
    const { sort, stored } = itemJson('t', index, bytes);
    partitionOf(table, 't').put(sort, stored);
  }
  return one;
}

interface Page {
  readonly Items: readonly { readonly id: { readonly S: string } }[];
  readonly LastEvaluatedKey?: object;
}

function query(one: Region, more: object = {}): Page {
  const { body } = one.answer('Query', {
    TableName: 'notes',
    ConsistentRead: true,
    KeyConditionExpression: '#p = :p',
    ExpressionAttributeValues: { ':p': { S: 't' } },
    ...more,
  });
  return JSON.parse(body);
}

const batch = (from: number, count: number) => ({
  RequestItems: {
    notes: Array.from({ length: count }, (_, index) => ({
      PutRequest: { Item: JSON.parse(itemJson('t', from + index, 1000).stored.json) },
    })),
  },
});

describe('the stub', () => {
  test('hands out pages of 1 MB, and counts read units', () => {
    const one = region(1_500);
    const first = query(one);
    expect(first.Items).toHaveLength(1_049);
    const second = query(one, { ExclusiveStartKey: first.LastEvaluatedKey });
    expect(second.Items).toHaveLength(451);
    expect(second.LastEvaluatedKey).toBeUndefined();
    const { requests, rcu } = one.counters.of('notes', 'Query');
    expect([requests, rcu]).toEqual([2, Math.ceil(1_049_000 / 4096) + Math.ceil(451_000 / 4096)]);
  });

  test('reads backwards, and up to a bound', () => {
    const one = region(10);
    const ids = ({ Items }: Page) => Items.map(({ id }) => Number(id.S.slice(-2)));
    expect(ids(query(one, { ScanIndexForward: false, Limit: 3 }))).toEqual([9, 8, 7]);
    const bounded = {
      KeyConditionExpression: '#p = :p AND #s < :s',
      ExpressionAttributeValues: { ':p': { S: 't' }, ':s': { S: 'export-00000003' } },
    };
    expect(ids(query(one, bounded))).toEqual([0, 1, 2]);
  });

  test('leaves undone what is above the cap, and refuses a batch of which it takes nothing', () => {
    const one = region(0);
    one.cap('notes', { partition: 0.001 });
    expect(one.answer('BatchWriteItem', batch(0, 25)).status).toBe(400);
    one.cap('notes', { partition: 1e6 });
    const wait = performance.now() + 5;
    while (performance.now() < wait);
    const { body } = one.answer('BatchWriteItem', batch(0, 25));
    expect(JSON.parse(body)).toEqual({ UnprocessedItems: {} });
    expect(one.counters.of('notes', 'BatchWriteItem')).toMatchObject({
      requests: 2,
      writes: 50,
      refused: 25,
      wcu: 25,
    });
  });

  test('refuses reads of a key that is in debt, and writes of single items above its cap', () => {
    const one = region(2_000);
    one.cap('notes', { reads: 200, partition: 0.001 });
    const wait = performance.now() + 6;
    while (performance.now() < wait);
    expect(query(one).Items).toHaveLength(1_049);
    const again = one.answer('GetItem', {
      TableName: 'notes',
      Key: { tenant: { S: 't' }, id: { S: 'export-00000000' } },
    });
    expect(again.status).toBe(400);
    expect(one.counters.of('notes', 'GetItem')).toMatchObject({ rcu: 0, refusedReads: 1 });
    const [write] = batch(0, 1).RequestItems.notes;
    const put = { TableName: 'notes', Item: write?.PutRequest.Item };
    expect(one.answer('PutItem', put).status).toBe(400);
    expect(one.counters.of('notes', 'PutItem')).toMatchObject({ wcu: 0, refused: 1 });
  });
});

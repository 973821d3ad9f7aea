/**
 * The embedded DynamoDB with partition keys that take so many write units a second, and no more.
 */
import { expect, test } from 'vitest';
import { writeCapacity } from '../../lib/local/dynamodb/write-capacity.ts';

const put = (tenant: string, bytes = 10) => ({
  PutRequest: { Item: { tenant: { S: tenant }, body: { S: 'x'.repeat(bytes) } } },
});
const batch = (table: string, ...requests: readonly object[]) => ({
  region: 'eu-central-1',
  operation: 'BatchWriteItem',
  input: { RequestItems: { [table]: requests } },
});

test('delays a batch by what its key takes, and leaves unprocessed what would take too long', () => {
  const inject = writeCapacity({ unitsPerSecond: 10, keyOf: new Map([['slow', 'tenant']]) });
  const first = inject(batch('slow', ...Array.from({ length: 20 }, () => put('acme'))));
  expect(first).toMatchObject({ delayMs: 400, unprocessed: 15 });
  expect(inject(batch('slow', put('acme')))).toMatchObject({ unprocessed: 1 });
});

test('counts a unit for each KB that is begun, and each key for itself', () => {
  const inject = writeCapacity({ unitsPerSecond: 100, keyOf: new Map([['slow', 'tenant']]) });
  expect(inject(batch('slow', put('acme', 4_000)))?.delayMs).toBeCloseTo(40);
  expect(inject(batch('slow', put('acme-10')))?.delayMs).toBeCloseTo(10);
});

test('leaves other tables and other calls alone', () => {
  const inject = writeCapacity({ unitsPerSecond: 1, keyOf: new Map([['slow', 'tenant']]) });
  expect(inject(batch('fast', put('acme')))).toBeUndefined();
  expect(inject({ ...batch('slow', put('acme')), operation: 'PutItem' })).toBeUndefined();
});

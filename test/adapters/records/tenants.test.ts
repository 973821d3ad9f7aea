/** Both stores of tenants keep the contract, and the one over DynamoDB withstands a lost reply. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tenantStoreContract } from '../../contract/tenant-store.contract.ts';
import { tenantRecord } from '../../support/builders.ts';
import { manualClock } from '../../support/clock.ts';
import { type DynamoDbPortsHost, dynamoDbPortsHost } from '../../support/dynamodb-ports-host.ts';
import { inMemoryTenants } from '../../support/in-memory-tenants.ts';
import { disturbance } from '../../support/unreachable.ts';

tenantStoreContract('in memory', async () => {
  const { hooks, ...host } = disturbance();
  return { ...host, tenants: inMemoryTenants(hooks), close: async () => {} };
});

tenantStoreContract('DynamoDB', async () => {
  const host = await dynamoDbPortsHost(manualClock());
  return {
    ...host,
    setReachable: (isReachable) =>
      host.inject(() => (isReachable ? undefined : { error: 'AccessDeniedException' })),
  };
});

describe('tenants in DynamoDB', () => {
  let host: DynamoDbPortsHost | undefined;
  const the = () => {
    if (host === undefined) throw new Error('the host has not been started yet');
    return host;
  };
  beforeAll(async () => {
    host = await dynamoDbPortsHost(manualClock());
  });
  afterAll(async () => host?.close());

  test('a write whose reply was lost is found, and not done again', async () => {
    let lost = 0;
    the().inject(({ operation }) => {
      if (operation !== 'PutItem' || lost > 0) return undefined;
      lost += 1;
      return { lost: true };
    });
    const { record } = await the().tenants.change('us', 'lost', (current) => ({
      ...(current ?? tenantRecord({ tenant: 'lost' })),
      released: [...new Set([...(current?.released ?? []), 'mine'])],
    }));
    the().inject(() => undefined);
    expect(lost).toBe(1);
    expect(record?.released).toEqual(['mine']);
    expect((await the().tenants.read('us', 'lost'))?.released).toEqual(['mine']);
  });

  test('a fault says which table, and nothing of the record', async () => {
    the().inject(() => ({ error: 'AccessDeniedException' }));
    const change = the().tenants.change('us', 'faulty', () => tenantRecord({ tenant: 'faulty' }));
    await expect(change).rejects.toThrow(
      'test-test-us-tenants cannot be reached: AccessDeniedException',
    );
    the().inject(() => undefined);
  });

  test('every read is strongly consistent', async () => {
    const reads: unknown[] = [];
    the().inject(({ operation, input }) => {
      if (operation === 'GetItem') reads.push(input['ConsistentRead']);
      return undefined;
    });
    await the().tenants.read('us', 'anybody');
    await the().tenants.change('us', 'anybody', () => undefined);
    expect(reads).toEqual([true, true]);
  });
});

/**
 * Both ledgers keep the contract, and the one over DynamoDB takes as many windows as a fleet has.
 */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { issued } from '../../../lambdas/app/phases/notary.ts';
import { ledgerContract } from '../../contract/ledger.contract.ts';
import { receiptOf } from '../../support/builders.ts';
import { DAY, HOUR, manualClock } from '../../support/clock.ts';
import { dynamoDbPortsHost } from '../../support/dynamodb-ports-host.ts';
import { inMemoryLedger } from '../../support/in-memory-ledger.ts';
import { collectedLog } from '../../support/log.ts';
import { disturbance } from '../../support/unreachable.ts';

ledgerContract('in memory', async (clock) => {
  const { hooks, ...host } = disturbance();
  const log = collectedLog();
  const ledger = inMemoryLedger(clock, hooks, log);
  return {
    ...host,
    ledger,
    log,
    setSettings: async (...settings) => ledger.settings.set(...settings),
    close: async () => {},
  };
});

ledgerContract('DynamoDB', async (clock) => {
  const host = await dynamoDbPortsHost(clock);
  return {
    ...host,
    setReachable: (isReachable) =>
      host.inject(() => (isReachable ? undefined : { error: 'AccessDeniedException' })),
    setSettings: async (realm, settings, tenant) => {
      await host.putLedgerItem(realm, { tenant, id: 'settings', revision: 1, ...settings });
    },
  };
});

test('receipts of moves that end at once all find a place in the chain', async () => {
  await using host = await dynamoDbPortsHost(manualClock());
  const signer = {
    hash: (text: string) => createHash('sha256').update(text).digest('hex'),
    sign: async (realm: string, value: string) => ({
      key: realm,
      algorithm: 'ECDSA_SHA_256' as const,
      value,
    }),
  };
  const issuedAtOnce = await Promise.all(
    Array.from({ length: 100 }, (_, id) =>
      issued({ receipts: host.ledger.receipts, signer }, 'us', receiptOf({ id: String(id) })),
    ),
  );
  const numbers = issuedAtOnce.map(({ link }) => link?.number ?? 0).toSorted((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
  expect(await host.ledger.receipts.links('us')).toHaveLength(100);
});

test('a realm that holds 3,000 windows of the longest client keys takes the next one', async () => {
  const clock = manualClock();
  await using host = await dynamoDbPortsHost(clock);
  const window = (day: number) => ({
    start: new Date(clock.now() + day * DAY).toISOString(),
    end: new Date(clock.now() + day * DAY + HOUR).toISOString(),
  });
  const takenAt = new Date(clock.now()).toISOString();
  for (let number = 0; number < 20; number += 1) {
    const windows = Array.from({ length: 150 }, (_, day) => {
      const tenant = `${number}-${day}-`.padEnd(128, 'k');
      return [tenant, '57500', takenAt, window(day).start, window(day).end];
    });
    await host.putLedgerItem('us', {
      tenant: '#realm',
      id: `slots#${number}`,
      revision: 1,
      windows,
    });
  }
  const key = { ledger: 'us', tenant: 'the next one', id: '1' };
  expect(await host.ledger.slots.list('us')).toHaveLength(3_000);
  expect(await host.ledger.slots.take(key, window(7), 20)).toBe(false);
  expect(await host.ledger.slots.take(key, window(7), 21)).toBe(true);
  expect(await host.ledger.slots.take({ ...key, id: '2' }, window(200), 20)).toBe(true);
  expect(await host.ledger.slots.list('us')).toHaveLength(3_002);
});

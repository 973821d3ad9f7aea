/** The contract of every ledger: of each of its six stores, over one host. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../../lambdas/domain/refusal.ts';
import type { Clock } from '../../lambdas/ports.ts';
import { migrationRecord, rangeRecord, receiptOf } from '../support/builders.ts';
import { manualClock } from '../support/clock.ts';
import type { LedgerHost, LedgerSuite } from './ledger-suite.ts';
import { measurementStoreContract } from './measurement-store.contract.ts';
import { migrationStoreContract } from './migration-store.contract.ts';
import { rangeRecordStoreContract } from './range-record-store.contract.ts';
import { receiptStoreContract } from './receipt-store.contract.ts';
import { settingsStoreContract } from './settings-store.contract.ts';
import { slotStoreContract } from './slot-store.contract.ts';

export function ledgerContract(name: string, start: (clock: Clock) => Promise<LedgerHost>): void {
  describe(`a ledger (${name})`, () => {
    const clock = manualClock();
    let host: LedgerHost | undefined;
    let count = 0;
    const the = () => {
      if (host === undefined) throw new Error('the host has not been started yet');
      return host;
    };
    const tenant = () => `tenant-${count}`;
    const suite: LedgerSuite = {
      the,
      ledger: () => the().ledger,
      clock,
      tenant,
      number: () => count,
      keyOf: (id = '57500', realm = 'us') => ({ ledger: realm, tenant: tenant(), id }),
    };
    const { ledger, keyOf } = suite;

    beforeAll(async () => {
      host = await start(clock);
    });
    afterAll(async () => host?.close());
    beforeEach(() => {
      count += 1;
    });

    migrationStoreContract(suite);
    rangeRecordStoreContract(suite);
    receiptStoreContract(suite);
    measurementStoreContract(suite);
    slotStoreContract(suite);
    settingsStoreContract(suite);

    test('throws a fault, whatever is asked, when it cannot be reached', async () => {
      the().setReachable(false);
      const window = { start: '2030-01-01T00:00:00.000Z', end: '2030-01-01T01:00:00.000Z' };
      const calls: readonly (() => Promise<unknown>)[] = [
        () => ledger().migrations.read(keyOf()),
        () => ledger().migrations.list('us', tenant()),
        () => ledger().migrations.change(keyOf(), 'schedule', () => migrationRecord()),
        () => ledger().migrations.open('us'),
        () => ledger().rangeRecords.read('us', keyOf(), 'templates/00'),
        () => ledger().rangeRecords.list('us', keyOf()),
        () => ledger().rangeRecords.put('us', keyOf(), rangeRecord()),
        () => ledger().receipts.read('us', tenant(), '57500'),
        () => ledger().receipts.write('us', receiptOf({ tenant: tenant() })),
        () => ledger().slots.take(keyOf(), window, 5),
        () => ledger().slots.free(keyOf()),
        () => ledger().slots.list('us'),
        () => ledger().settings.read('us', tenant()),
        () => ledger().settings.change('us', tenant(), 'operator ada', { concurrency: 1 }),
        () => ledger().settings.history('us', tenant()),
        () => ledger().migrations.history(keyOf()),
        () => ledger().measurements.read('us', tenant()),
        () => ledger().receipts.purges('us', tenant()),
        () => ledger().measurements.write('us', tenant(), { begunAt: 'now', ranges: {} }),
      ];
      for (const call of calls) await expect(call(), call.toString()).rejects.toThrow(Fault);
      the().setReachable(true);
      expect(await ledger().migrations.read(keyOf())).toBeUndefined();
    });
  });
}

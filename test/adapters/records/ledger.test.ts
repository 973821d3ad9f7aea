/** Both ledgers keep the contract. */
import { ledgerContract } from '../../contract/ledger.contract.ts';
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
    setSettings: async (...settings) => ledger.setSettings(...settings),
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

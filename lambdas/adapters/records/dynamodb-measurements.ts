/** The last count of a tenant in the ledger: one item for each tenant. */
import { type Measurement, withCount, withObstacles } from '../../domain/datasets/size.ts';
import type { MeasurementStore } from '../../ports.ts';
import { changeCell, readCell } from './compare-and-set.ts';
import { cellsOf, type LedgerTables } from './ledger-table.ts';

const ID = 'size';

export function dynamoDbMeasurements(tables: LedgerTables): MeasurementStore {
  const measurements = cellsOf<Measurement>(
    tables,
    (measurement) => ({ measurement }),
    (item) => item['measurement'] as Measurement,
  );
  return {
    read: async (realm, tenant) => (await readCell(measurements(realm), { tenant, id: ID })).record,

    async write(realm, tenant, measurement) {
      await changeCell(measurements(realm), { tenant, id: ID }, (stored) =>
        withCount(stored, measurement),
      );
    },

    async writeObstacles(realm, tenant, obstacles) {
      await changeCell(measurements(realm), { tenant, id: ID }, (stored) =>
        withObstacles(stored, obstacles),
      );
    },
  };
}

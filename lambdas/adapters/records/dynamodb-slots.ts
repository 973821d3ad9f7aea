/** The windows of a realm in the ledger: one item for each numbered lane, of a few windows. */
import { type Slot, withoutDoubles, withoutWindow } from '../../domain/moving/slots.ts';
import type { Realm } from '../../domain/realm.ts';
import type { SlotStore } from '../../ports.ts';
import { changeCell, type Item, patience, putCell } from './compare-and-set.ts';
import { byPrefix, cellsOf, type LedgerTables, OF_REALM, queryCells } from './ledger-table.ts';
import { type StoredLane, takeLane } from './slot-lanes.ts';

const LANES = 'slots#';

export function dynamoDbSlots(tables: LedgerTables): SlotStore {
  const { tableOf, clock } = tables;
  const cells = cellsOf(tables, toItem, fromItem);
  const keyOf = (number: number) => ({ tenant: OF_REALM, id: `${LANES}${number}` });
  const read = (realm: Realm): Promise<readonly StoredLane[]> =>
    queryCells({ ...cells(realm), fromItem: laneOf }, byPrefix(tableOf(realm), OF_REALM, LANES));

  return {
    async take({ ledger, tenant, id }, window, cap) {
      const mayTryAgain = patience();
      const store = {
        read: () => read(ledger),
        put: async ({ number, windows, revision }: StoredLane) =>
          (await putCell(cells(ledger), keyOf(number), windows, revision)) !== undefined,
        mayTryAgain,
      };
      const takenAt = new Date(clock.now()).toISOString();
      return takeLane(store, { tenant, id, takenAt, ...window }, cap, clock.now());
    },

    async free({ ledger, tenant, id }) {
      for (const { number, windows } of await read(ledger)) {
        if (withoutWindow(windows, { tenant, id }) === undefined) continue;
        await changeCell(cells(ledger), keyOf(number), (current = []) =>
          withoutWindow(current, { tenant, id }),
        );
      }
    },

    list: async (realm) => withoutDoubles(await read(realm)).flatMap(({ windows }) => windows),
  };
}

/**
 * A list without field names for each window, because every write of a lane costs by the kilobyte.
 */
const toItem = (windows: readonly Slot[]): Item => ({
  windows: windows.map(({ tenant, id, takenAt, start, end }) => [tenant, id, takenAt, start, end]),
});

function fromItem({ windows }: Item): readonly Slot[] {
  if (!Array.isArray(windows)) throw new Error('a lane has no list of windows');
  // Only toItem writes these items.
  return windows.map(([tenant, id, takenAt, start, end]) => ({ tenant, id, takenAt, start, end }));
}

const laneOf = (item: Item): StoredLane => ({
  number: Number(String(item['id']).slice(LANES.length)),
  windows: fromItem(item),
  revision: Number(item['revision'] ?? 0),
});

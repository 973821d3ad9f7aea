/** The realm's places for windows in the ledger's table: one item each, of a few windows. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { paginateQuery } from '@aws-sdk/lib-dynamodb';
import { type Slot, withoutDoubles, withoutWindow } from '../../domain/moving/slots.ts';
import type { Realm } from '../../domain/realm.ts';
import type { Clock, MigrationLedger } from '../../ports.ts';
import {
  type Cells,
  changeCell,
  type Item,
  patience,
  putCell,
  translated,
} from './compare-and-set.ts';
import { OF_REALM } from './dynamodb-settings.ts';
import { type StoredPlace, takePlace } from './slot-places.ts';

export interface SlotTables {
  readonly clientFor: (realm: Realm) => DynamoDBDocumentClient;
  readonly tableOf: (realm: Realm) => string;
  readonly clock: Clock;
}

const PLACES = 'slots#';

export function dynamoDbSlots({
  clientFor,
  tableOf,
  clock,
}: SlotTables): Pick<MigrationLedger, 'takeSlot' | 'freeSlot' | 'slots'> {
  const cells = (realm: Realm): Cells<readonly Slot[]> => ({
    client: clientFor(realm),
    table: tableOf(realm),
    toItem,
    fromItem,
  });
  const keyOf = (number: number) => ({ tenant: OF_REALM, id: `${PLACES}${number}` });

  async function read(realm: Realm): Promise<readonly StoredPlace[]> {
    const { client, table } = cells(realm);
    return translated(table, async () => {
      const found: StoredPlace[] = [];
      const pages = paginateQuery(
        { client },
        {
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: '#tenant = :tenant AND begins_with(#id, :prefix)',
          ExpressionAttributeNames: { '#tenant': 'tenant', '#id': 'id' },
          ExpressionAttributeValues: { ':tenant': OF_REALM, ':prefix': PLACES },
        },
      );
      for await (const { Items = [] } of pages) found.push(...Items.map(placeOf));
      return found;
    });
  }

  return {
    async takeSlot({ ledger, tenant, id }, window, cap) {
      const mayTryAgain = patience();
      const store = {
        read: () => read(ledger),
        put: async ({ number, windows, revision }: StoredPlace) =>
          (await putCell(cells(ledger), keyOf(number), windows, revision)) !== undefined,
        mayTryAgain,
      };
      const takenAt = new Date(clock.now()).toISOString();
      return takePlace(store, { tenant, id, takenAt, ...window }, cap, clock.now());
    },

    async freeSlot({ ledger, tenant, id }) {
      for (const { number, windows } of await read(ledger)) {
        if (withoutWindow(windows, { tenant, id }) === undefined) continue;
        await changeCell(cells(ledger), keyOf(number), (current = []) =>
          withoutWindow(current, { tenant, id }),
        );
      }
    },

    slots: async (realm) => withoutDoubles(await read(realm)).flatMap(({ windows }) => windows),
  };
}

/** A list for each window, without names: every write of a place costs by the kilobyte. */
const toItem = (windows: readonly Slot[]): Item => ({
  windows: windows.map(({ tenant, id, takenAt, start, end }) => [tenant, id, takenAt, start, end]),
});

function fromItem({ windows }: Item): readonly Slot[] {
  if (!Array.isArray(windows)) throw new Error('a place has no list of windows');
  // Written by toItem alone, and by nobody else.
  return windows.map(([tenant, id, takenAt, start, end]) => ({ tenant, id, takenAt, start, end }));
}

const placeOf = (item: Item): StoredPlace => ({
  number: Number(String(item['id']).slice(PLACES.length)),
  windows: fromItem(item),
  revision: Number(item['revision'] ?? 0),
});

/** Settings in the ledger's table: one item for the realm, one for a tenant that has its own, and one for each change. */
import { randomInt } from 'node:crypto';
import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import {
  changedSettings,
  DEFAULT_SETTINGS,
  type Settings,
  type SettingsEntry,
  storedSettings,
} from '../../domain/operating/settings.ts';
import type { Realm } from '../../domain/realm.ts';
import type { Clock, Log, MigrationLedger } from '../../ports.ts';
import {
  type Cells,
  changeCell,
  type Item,
  putCell,
  readCell,
  translated,
} from './compare-and-set.ts';

export interface SettingsTables {
  readonly clientFor: (realm: Realm) => DynamoDBDocumentClient;
  readonly tableOf: (realm: Realm) => string;
  readonly clock: Clock;
  readonly log?: Pick<Log, 'error'>;
}

/** Partition of what belongs to the realm, not to a tenant: no client key begins with `#`. */
export const OF_REALM = '#realm';
const SETTINGS = 'settings';
const ENTRIES = 'settings#';

export function dynamoDbSettings({
  clientFor,
  tableOf,
  clock,
  log,
}: SettingsTables): Pick<MigrationLedger, 'settings' | 'changeSettings' | 'settingsHistory'> {
  const items = (realm: Realm): Cells<Item> => ({
    client: clientFor(realm),
    table: tableOf(realm),
    toItem: (item) => item,
    fromItem: (item) => item,
  });

  /** An item that somebody has edited by hand must not stop a move. */
  function readable(realm: Realm, tenant: string, item: Item | undefined) {
    const { tenant: _t, id: _i, revision: _r, at: _a, actor: _w, ...stored } = item ?? {};
    const { settings, ignored } = storedSettings(stored);
    if (ignored.length > 0) {
      const whose = tenant === OF_REALM ? `realm ${realm}` : 'a tenant';
      log?.error(`alarm: settings of ${whose} are ignored that are none: ${ignored.join(', ')}`, {
        ...(tenant === OF_REALM ? {} : { clientKey: tenant }),
      });
    }
    return { settings, isWhole: ignored.length === 0 };
  }

  async function settingsOf(realm: Realm, tenant: string): Promise<Partial<Settings>> {
    const { record } = await readCell(items(realm), { tenant, id: SETTINGS });
    return readable(realm, tenant, record).settings;
  }

  return {
    async settings(realm, tenant) {
      const [ofRealm, ofTenant] = await Promise.all([
        settingsOf(realm, OF_REALM),
        settingsOf(realm, tenant),
      ]);
      return { ...DEFAULT_SETTINGS, ...ofRealm, ...ofTenant };
    },

    /** The item says itself who changed it last; a crash before the entry loses a line of history, and nothing else. */
    async changeSettings(realm, tenant = OF_REALM, actor, change) {
      const at = new Date(clock.now()).toISOString();
      let next: Partial<Settings> = {};
      const { changed } = await changeCell(items(realm), { tenant, id: SETTINGS }, (item) => {
        const { settings: current, isWhole } = readable(realm, tenant, item);
        next = changedSettings(current, change);
        // What is ignored goes with any change, also with one that changes nothing.
        return isWhole && isSame(current, next) ? undefined : { ...next, at, actor };
      });
      if (changed) {
        const id = `${ENTRIES}${at}#${randomInt(2 ** 32)}`;
        await putCell(items(realm), { tenant, id }, { at, actor, change }, 0);
      }
      return { changed, record: next };
    },

    async settingsHistory(realm, tenant = OF_REALM) {
      const { client, table } = items(realm);
      return translated(table, async () => {
        const entries: SettingsEntry[] = [];
        const pages = paginateQuery(
          { client },
          {
            TableName: table,
            ConsistentRead: true,
            KeyConditionExpression: 'tenant = :tenant AND begins_with(id, :prefix)',
            ExpressionAttributeValues: { ':tenant': tenant, ':prefix': ENTRIES },
          },
        );
        for await (const { Items = [] } of pages) {
          // Written above, and by nobody else.
          for (const { at, actor, change } of Items) entries.push({ at, actor, change });
        }
        return entries;
      });
    },
  };
}

const isSame = (one: Partial<Settings>, other: Partial<Settings>): boolean =>
  Object.keys({ ...one, ...other }).every(
    (name) => Reflect.get(one, name) === Reflect.get(other, name),
  );

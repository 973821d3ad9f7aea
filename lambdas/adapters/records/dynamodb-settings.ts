/**
 * Settings in the ledger's table: one item for the realm, one for a tenant that has its own, and
 * one for each change.
 */
import { randomInt } from 'node:crypto';
import {
  changedSettings,
  DEFAULT_SETTINGS,
  type Settings,
  type SettingsEntry,
  storedSettings,
} from '../../domain/operating/settings.ts';
import type { Realm } from '../../domain/realm.ts';
import type { SettingsStore } from '../../ports.ts';
import { changeCell, type Item, putCell, readCell } from './compare-and-set.ts';
import { byPrefix, cellsOf, type LedgerTables, OF_REALM, queryCells } from './ledger-table.ts';

const SETTINGS = 'settings';
const ENTRIES = 'settings#';

export function dynamoDbSettings(tables: LedgerTables): SettingsStore {
  const { tableOf, clock, log } = tables;
  const asItem = (item: Item) => item;
  const items = cellsOf(tables, asItem, asItem);

  /** An item that an operator has edited by hand must not stop a move. */
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
    async read(realm, tenant) {
      const [ofRealm, ofTenant] = await Promise.all([
        settingsOf(realm, OF_REALM),
        settingsOf(realm, tenant),
      ]);
      return { ...DEFAULT_SETTINGS, ...ofRealm, ...ofTenant };
    },

    /**
     * The item itself names its last change; a crash before the entry loses an entry of the
     * history, and nothing else.
     */
    async change(realm, tenant = OF_REALM, actor, change) {
      const at = new Date(clock.now()).toISOString();
      let next: Partial<Settings> = {};
      const { changed } = await changeCell(items(realm), { tenant, id: SETTINGS }, (item) => {
        const { settings: current, isWhole } = readable(realm, tenant, item);
        next = changedSettings(current, change);
        // Any change removes what is ignored, also one that changes nothing else.
        return isWhole && isSame(current, next) ? undefined : { ...next, at, actor };
      });
      if (changed) {
        const id = `${ENTRIES}${at}#${randomInt(2 ** 32)}`;
        await putCell(items(realm), { tenant, id }, { at, actor, change }, 0);
      }
      return { changed, record: next };
    },

    history: (realm, tenant = OF_REALM) =>
      queryCells(
        { ...items(realm), fromItem: entryFromItem },
        byPrefix(tableOf(realm), tenant, ENTRIES),
      ),
  };
}

/** Only the code above writes these items. */
const entryFromItem = ({ at, actor, change }: Item): SettingsEntry =>
  ({ at, actor, change }) as SettingsEntry;

const isSame = (one: Partial<Settings>, other: Partial<Settings>): boolean =>
  Object.keys({ ...one, ...other }).every(
    (name) => Reflect.get(one, name) === Reflect.get(other, name),
  );

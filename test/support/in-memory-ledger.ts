/** The ledgers of all realms in memory. */

import { type PlaceStore, takePlace } from '../../lambdas/adapters/records/slot-places.ts';
import type { Measurement } from '../../lambdas/domain/datasets/size.ts';
import { type HistoryEntry, historyEntry } from '../../lambdas/domain/moving/history.ts';
import {
  isFinal,
  type Migration,
  type MigrationKey,
} from '../../lambdas/domain/moving/migration.ts';
import type { RangeRecord } from '../../lambdas/domain/moving/range-record.ts';
import {
  type Receipt,
  type ReceiptLink,
  staysBefore,
} from '../../lambdas/domain/moving/receipt.ts';
import {
  type Place,
  type Slot,
  withoutDoubles,
  withoutWindow,
} from '../../lambdas/domain/moving/slots.ts';
import {
  changedSettings,
  DEFAULT_SETTINGS,
  type Settings,
  type SettingsEntry,
  storedSettings,
} from '../../lambdas/domain/operating/settings.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import type { PurgeReceipt } from '../../lambdas/domain/tenants/retirement.ts';
import type { Clock, Log, MigrationLedger } from '../../lambdas/ports.ts';
import { frozen } from './frozen.ts';
import { type Hooks, inMemoryCells, keyOf, MOST_TRIES } from './in-memory-cells.ts';

/** What a test may look at and set besides; none of it takes a step. */
export interface InMemoryLedger extends MigrationLedger {
  peek(key: MigrationKey): Migration | undefined;
  /** Of one realm's ledger. */
  peekAll(ledger: Realm): readonly Migration[];
  set(migration: Migration): void;
  /** In the order in which the entries were written. */
  peekHistory(key: MigrationKey): readonly HistoryEntry[];
  peekRanges(realm: Realm, key: MigrationKey): readonly RangeRecord[];
  peekSlots(realm: Realm): readonly Slot[];
  peekReceipt(realm: Realm, tenant: string, id: string): Receipt | undefined;
  peekPurges(realm: Realm, tenant: string): readonly PurgeReceipt[];
  /** What operators set for the realm, or for one tenant in it, or what somebody wrote there by hand. */
  setSettings(realm: Realm, settings: Readonly<Record<string, unknown>>, tenant?: string): void;
  /** Tombstones whose time is over by then vanish. Epoch milliseconds. */
  sweep(now: number): void;
}

export function inMemoryLedger(
  clock: Clock,
  hooks: Hooks = {},
  log?: Pick<Log, 'error'>,
): InMemoryLedger {
  const migrations = inMemoryCells<Migration>(hooks);
  const entries = inMemoryCells<HistoryEntry & { readonly order: number }>(hooks);
  const ranges = inMemoryCells<RangeRecord>(hooks);
  const receipts = inMemoryCells<Receipt>(hooks);
  const links = inMemoryCells<ReceiptLink>(hooks);
  const purges = inMemoryCells<PurgeReceipt>(hooks);
  const measurements = inMemoryCells<Measurement>(hooks);
  const places = inMemoryCells<Place>(hooks);
  const settings = inMemoryCells<Readonly<Record<string, unknown>>>(hooks);
  const settingsEntries = inMemoryCells<SettingsEntry & { readonly order: number }>(hooks);
  let written = 0;

  const site = (name: string, realm: Realm, ...detail: readonly string[]) => ({
    port: 'ledger',
    name,
    realm,
    detail: detail.join(' '),
  });
  const migrationKey = ({ ledger, tenant, id }: MigrationKey) => keyOf(ledger, tenant, id);
  const placeKey = (ledger: Realm, number: number) => keyOf(ledger, String(number));
  const timeNow = () => new Date(clock.now()).toISOString();

  const settingsKey = (realm: Realm, tenant?: string) =>
    tenant === undefined ? keyOf(realm) : keyOf(realm, tenant);

  /** A write of its own after the status has moved: whoever is stopped in between leaves no entry. */
  async function recordHistory(key: MigrationKey, entry: HistoryEntry): Promise<void> {
    const { ledger, tenant, id } = key;
    const { at, status, attempt } = entry;
    written += 1;
    const cell = keyOf(ledger, tenant, id, at, status, ...(attempt ? [String(attempt)] : []));
    await entries.put(
      site('history', ledger, tenant, id, status),
      cell,
      { ...entry, order: written },
      0,
    );
  }

  const inOrder = <T extends { readonly order: number }>(found: readonly T[]) =>
    found.toSorted((one, other) => one.order - other.order).map(({ order: _, ...rest }) => rest);

  function readable(stored: Readonly<Record<string, unknown>> = {}) {
    const { settings: found, ignored } = storedSettings(stored);
    if (ignored.length > 0)
      log?.error(`alarm: settings are ignored that are none: ${ignored.join(', ')}`);
    return { found, isWhole: ignored.length === 0 };
  }

  return {
    read: async (key) =>
      (await migrations.read(site('read', key.ledger, key.tenant, key.id), migrationKey(key)))
        .record,
    list: (ledger, tenant) => migrations.list(site('list', ledger, tenant), keyOf(ledger, tenant)),

    async change(key, actor, decide) {
      let before: Migration | undefined;
      const at = site('change', key.ledger, key.tenant, key.id, actor);
      const change = await migrations.change(at, migrationKey(key), (current) => {
        before = current;
        const next = decide(current);
        if (next === undefined || next === 'remove') return next;
        return { ...next, updatedAt: timeNow() };
      });
      const { changed, record } = change;
      const entry = changed && record && historyEntry(before, record, actor);
      if (entry) await recordHistory(key, entry);
      return change;
    },
    history: async ({ ledger, tenant, id }) =>
      inOrder(await entries.list(site('history', ledger, tenant, id), keyOf(ledger, tenant, id))),

    async open(ledger) {
      const all = await migrations.list(site('open', ledger), keyOf(ledger));
      const dueAt = ({ facts, scheduledAt }: Migration) => facts?.endTime ?? scheduledAt;
      return all
        .filter((migration) => !isFinal(migration))
        .sort((one, other) => (dueAt(one) < dueAt(other) ? -1 : 1));
    },

    readRange: async (realm, { tenant, id }, range) =>
      (
        await ranges.read(
          site('readRange', realm, tenant, id, range),
          keyOf(realm, tenant, id, range),
        )
      ).record,
    listRanges: (realm, { tenant, id }) =>
      ranges.list(site('listRanges', realm, tenant, id), keyOf(realm, tenant, id)),
    async putRange(realm, { tenant, id }, next) {
      const revision = ranges.nextRevision();
      const at = site('putRange', realm, tenant, id, next.range);
      const stored = frozen({ ...next, revision });
      const key = keyOf(realm, tenant, id, next.range);
      const isWritten = await ranges.put(at, key, stored, next.revision, revision);
      return isWritten ? stored : undefined;
    },

    readReceipt: async (realm, tenant, id) =>
      (await receipts.read(site('readReceipt', realm, tenant, id), keyOf(realm, tenant, id)))
        .record,
    async writeReceipt(realm, receipt) {
      const { tenant, id, state } = receipt;
      const at = site('writeReceipt', realm, tenant, id, state);
      await receipts.change(at, keyOf(realm, tenant, id), (current) =>
        staysBefore(current, receipt) ? undefined : receipt,
      );
    },

    async receiptLinks(realm) {
      const found = await links.list(site('receiptLinks', realm), keyOf(realm));
      return found.toSorted((one, other) => one.number - other.number);
    },
    async lastReceiptLink(realm) {
      const found = await links.list(site('lastReceiptLink', realm), keyOf(realm));
      return found.toSorted((one, other) => other.number - one.number)[0];
    },
    addReceiptLink: (realm, link) =>
      links.put(site('addReceiptLink', realm), keyOf(realm, String(link.number)), link, 0),

    async writePurge(realm, receipt) {
      const { tenant, begunAt } = receipt;
      const at = site('writePurge', realm, tenant);
      await purges.change(at, keyOf(realm, tenant, begunAt), () => receipt);
    },
    purges: (realm, tenant) => purges.list(site('purges', realm, tenant), keyOf(realm, tenant)),

    readMeasurement: async (realm, tenant) =>
      (await measurements.read(site('readMeasurement', realm, tenant), keyOf(realm, tenant)))
        .record,
    async writeMeasurement(realm, tenant, measurement) {
      const at = site('writeMeasurement', realm, tenant);
      await measurements.change(at, keyOf(realm, tenant), () => measurement);
    },

    async takeSlot(key, window, cap) {
      const { ledger, tenant, id } = key;
      const at = site('takeSlot', ledger, tenant, id);
      let tries = 0;
      const store: PlaceStore = {
        read: async () =>
          (await places.listCells(at, keyOf(ledger))).map(({ record, revision }) => ({
            ...record,
            revision,
          })),
        put: ({ number, windows, revision }) =>
          places.put(at, placeKey(ledger, number), { number, windows }, revision),
        mayTryAgain: async () => {
          tries += 1;
          return tries < MOST_TRIES;
        },
      };
      const slot = { tenant, id, takenAt: timeNow(), ...window };
      return takePlace(store, slot, cap, clock.now());
    },
    async freeSlot(key) {
      const at = site('freeSlot', key.ledger, key.tenant, key.id);
      for (const { number, windows } of await places.list(at, keyOf(key.ledger))) {
        if (withoutWindow(windows, key) === undefined) continue;
        await places.change(at, placeKey(key.ledger, number), (current) => {
          const left = withoutWindow(current?.windows ?? [], key);
          return left && { number, windows: left };
        });
      }
    },
    slots: async (realm) =>
      withoutDoubles(await places.list(site('slots', realm), keyOf(realm))).flatMap(
        ({ windows }) => windows,
      ),

    async settings(realm, tenant) {
      const [ofRealm, ofTenant] = await Promise.all([
        settings.read(site('settings', realm), settingsKey(realm)),
        settings.read(site('settings', realm, tenant), settingsKey(realm, tenant)),
      ]);
      return {
        ...DEFAULT_SETTINGS,
        ...readable(ofRealm.record).found,
        ...readable(ofTenant.record).found,
      };
    },
    async changeSettings(realm, tenant, actor, change) {
      const at = site('changeSettings', realm, tenant ?? 'realm', actor);
      let next: Partial<Settings> = {};
      const { changed } = await settings.change(at, settingsKey(realm, tenant), (stored) => {
        const { found: current, isWhole } = readable(stored);
        next = changedSettings(current, change);
        return isWhole && JSON.stringify(current) === JSON.stringify(next) ? undefined : next;
      });
      if (changed) {
        written += 1;
        const entry = { at: timeNow(), actor, change, order: written };
        const key = `${settingsKey(realm, tenant)}#${written}`;
        await settingsEntries.put(at, key, entry, 0);
      }
      return { changed, record: next };
    },
    settingsHistory: async (realm, tenant) =>
      inOrder(
        await settingsEntries.list(
          site('settingsHistory', realm),
          `${settingsKey(realm, tenant)}#`,
        ),
      ),

    peek: (key) => migrations.peek(migrationKey(key)),
    peekAll: (ledger) => migrations.peekAll(keyOf(ledger)),
    set: (migration) => migrations.set(migrationKey(migration), migration),
    peekHistory: (key) => inOrder(entries.peekAll(migrationKey(key))),
    peekRanges: (realm, { tenant, id }) => ranges.peekAll(keyOf(realm, tenant, id)),
    peekSlots: (realm) => places.peekAll(keyOf(realm)).flatMap(({ windows }) => windows),
    peekReceipt: (realm, tenant, id) => receipts.peek(keyOf(realm, tenant, id)),
    peekPurges: (realm, tenant) => purges.peekAll(keyOf(realm, tenant)),
    setSettings: (realm, set, tenant) => settings.set(settingsKey(realm, tenant), set),
    sweep: (now) =>
      migrations.sweep(({ expiresAt }) => expiresAt !== undefined && expiresAt * 1000 <= now),
  };
}

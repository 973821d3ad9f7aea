/** The ledgers of all realms in memory: a store for each kind of record, as over DynamoDB. */

import { type LaneStore, takeLane } from '../../lambdas/adapters/records/slot-lanes.ts';
import { type Measurement, withCount, withObstacles } from '../../lambdas/domain/datasets/size.ts';
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
  type Lane,
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
import type {
  Clock,
  Ledger,
  Log,
  MeasurementStore,
  MigrationStore,
  RangeRecordStore,
  ReceiptStore,
  SettingsStore,
  SlotStore,
} from '../../lambdas/ports.ts';
import { frozen } from './frozen.ts';
import { type Hooks, inMemoryCells, keyOf, MOST_TRIES } from './in-memory-cells.ts';

/** Further functions for tests; none of them takes a step. */
export interface InMemoryMigrations extends MigrationStore {
  peek(key: MigrationKey): Migration | undefined;
  /** The migrations of one realm's ledger. */
  peekAll(ledger: Realm): readonly Migration[];
  set(migration: Migration): void;
  /** In the order in which the entries were written. */
  peekHistory(key: MigrationKey): readonly HistoryEntry[];
  /** Removes tombstones that have expired by then. Epoch milliseconds. */
  sweep(now: number): void;
}

export interface InMemoryLedger extends Ledger {
  readonly migrations: InMemoryMigrations;
  readonly rangeRecords: RangeRecordStore & {
    peek(realm: Realm, key: MigrationKey): readonly RangeRecord[];
  };
  readonly receipts: ReceiptStore & {
    peek(realm: Realm, tenant: string, id: string): Receipt | undefined;
    peekPurges(realm: Realm, tenant: string): readonly PurgeReceipt[];
  };
  readonly slots: SlotStore & { peek(realm: Realm): readonly Slot[] };
  readonly settings: SettingsStore & {
    /**
     * Sets an operator's settings for the realm or one tenant, or any fields that were written by
     * hand.
     */
    set(realm: Realm, settings: Readonly<Record<string, unknown>>, tenant?: string): void;
  };
}

export const inMemoryLedger = (
  clock: Clock,
  hooks: Hooks = {},
  log?: Pick<Log, 'error'>,
): InMemoryLedger => ({
  migrations: inMemoryMigrations(clock, hooks),
  rangeRecords: inMemoryRangeRecords(hooks),
  receipts: inMemoryReceipts(hooks),
  measurements: inMemoryMeasurements(hooks),
  slots: inMemorySlots(clock, hooks),
  settings: inMemorySettings(clock, hooks, log),
});

const siteIn =
  (port: keyof Ledger) =>
  (name: string, realm: Realm, ...detail: readonly string[]) => ({
    port,
    name,
    realm,
    detail: detail.join(' '),
  });

const timeOf = (clock: Clock) => new Date(clock.now()).toISOString();

interface Ordered {
  readonly order: number;
}
const inOrder = <T extends Ordered>(found: readonly T[]) =>
  found.toSorted((one, other) => one.order - other.order).map(({ order: _, ...rest }) => rest);

function inMemoryMigrations(clock: Clock, hooks: Hooks): InMemoryMigrations {
  const site = siteIn('migrations');
  const migrations = inMemoryCells<Migration>(hooks);
  const entries = inMemoryCells<HistoryEntry & Ordered>(hooks);
  const cellOf = ({ ledger, tenant, id }: MigrationKey) => keyOf(ledger, tenant, id);
  let written = 0;

  /**
   * A write of its own after the status has changed: a caller that is stopped in between leaves no
   * entry.
   */
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

  return {
    read: async (key) =>
      (await migrations.read(site('read', key.ledger, key.tenant, key.id), cellOf(key))).record,
    list: (ledger, tenant) => migrations.list(site('list', ledger, tenant), keyOf(ledger, tenant)),

    async change(key, actor, decide) {
      let before: Migration | undefined;
      const at = site('change', key.ledger, key.tenant, key.id, actor);
      const change = await migrations.change(at, cellOf(key), (current) => {
        before = current;
        const next = decide(current);
        if (next === undefined || next === 'remove') return next;
        return { ...next, updatedAt: timeOf(clock) };
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

    peek: (key) => migrations.peek(cellOf(key)),
    peekAll: (ledger) => migrations.peekAll(keyOf(ledger)),
    set: (migration) => migrations.set(cellOf(migration), migration),
    peekHistory: (key) => inOrder(entries.peekAll(cellOf(key))),
    sweep: (now) =>
      migrations.sweep(({ expiresAt }) => expiresAt !== undefined && expiresAt * 1000 <= now),
  };
}

function inMemoryRangeRecords(hooks: Hooks): InMemoryLedger['rangeRecords'] {
  const site = siteIn('rangeRecords');
  const records = inMemoryCells<RangeRecord>(hooks);
  return {
    read: async (realm, { tenant, id }, range) => {
      const at = site('read', realm, tenant, id, range);
      return (await records.read(at, keyOf(realm, tenant, id, range))).record;
    },
    list: (realm, { tenant, id }) =>
      records.list(site('list', realm, tenant, id), keyOf(realm, tenant, id)),
    async put(realm, { tenant, id }, next) {
      const revision = records.nextRevision();
      const at = site('put', realm, tenant, id, next.range);
      const stored = frozen({ ...next, revision });
      const key = keyOf(realm, tenant, id, next.range);
      const isWritten = await records.put(at, key, stored, next.revision, revision);
      return isWritten ? stored : undefined;
    },
    peek: (realm, { tenant, id }) => records.peekAll(keyOf(realm, tenant, id)),
  };
}

function inMemoryReceipts(hooks: Hooks): InMemoryLedger['receipts'] {
  const site = siteIn('receipts');
  const receipts = inMemoryCells<Receipt>(hooks);
  const links = inMemoryCells<ReceiptLink>(hooks);
  const purges = inMemoryCells<PurgeReceipt>(hooks);
  return {
    read: async (realm, tenant, id) =>
      (await receipts.read(site('read', realm, tenant, id), keyOf(realm, tenant, id))).record,
    async write(realm, receipt) {
      const { tenant, id, state } = receipt;
      const at = site('write', realm, tenant, id, state);
      await receipts.change(at, keyOf(realm, tenant, id), (current) =>
        staysBefore(current, receipt) ? undefined : receipt,
      );
    },

    async links(realm) {
      const found = await links.list(site('links', realm), keyOf(realm));
      return found.toSorted((one, other) => one.number - other.number);
    },
    async lastLink(realm) {
      const found = await links.list(site('lastLink', realm), keyOf(realm));
      return found.toSorted((one, other) => other.number - one.number)[0];
    },
    addLink: (realm, link) =>
      links.put(site('addLink', realm), keyOf(realm, String(link.number)), link, 0),

    async writePurge(realm, receipt) {
      const { tenant, begunAt } = receipt;
      const at = site('writePurge', realm, tenant);
      await purges.change(at, keyOf(realm, tenant, begunAt), () => receipt);
    },
    purges: (realm, tenant) => purges.list(site('purges', realm, tenant), keyOf(realm, tenant)),

    peek: (realm, tenant, id) => receipts.peek(keyOf(realm, tenant, id)),
    peekPurges: (realm, tenant) => purges.peekAll(keyOf(realm, tenant)),
  };
}

function inMemoryMeasurements(hooks: Hooks): MeasurementStore {
  const site = siteIn('measurements');
  const measurements = inMemoryCells<Measurement>(hooks);
  return {
    read: async (realm, tenant) =>
      (await measurements.read(site('read', realm, tenant), keyOf(realm, tenant))).record,
    async write(realm, tenant, measurement) {
      await measurements.change(site('write', realm, tenant), keyOf(realm, tenant), (stored) =>
        withCount(stored, measurement),
      );
    },
    async writeObstacles(realm, tenant, obstacles) {
      await measurements.change(
        site('write', realm, tenant, 'obstacles'),
        keyOf(realm, tenant),
        (stored) => withObstacles(stored, obstacles),
      );
    },
  };
}

function inMemorySlots(clock: Clock, hooks: Hooks): InMemoryLedger['slots'] {
  const site = siteIn('slots');
  const lanes = inMemoryCells<Lane>(hooks);
  const laneKey = (ledger: Realm, number: number) => keyOf(ledger, String(number));
  return {
    async take(key, window, cap) {
      const { ledger, tenant, id } = key;
      const at = site('take', ledger, tenant, id);
      let tries = 0;
      const store: LaneStore = {
        read: async () =>
          (await lanes.listCells(at, keyOf(ledger))).map(({ record, revision }) => ({
            ...record,
            revision,
          })),
        put: ({ number, windows, revision }) =>
          lanes.put(at, laneKey(ledger, number), { number, windows }, revision),
        mayTryAgain: async () => {
          tries += 1;
          return tries < MOST_TRIES;
        },
      };
      const slot = { tenant, id, takenAt: timeOf(clock), ...window };
      return takeLane(store, slot, cap, clock.now());
    },
    async free(key) {
      const at = site('free', key.ledger, key.tenant, key.id);
      for (const { number, windows } of await lanes.list(at, keyOf(key.ledger))) {
        if (withoutWindow(windows, key) === undefined) continue;
        await lanes.change(at, laneKey(key.ledger, number), (current) => {
          const left = withoutWindow(current?.windows ?? [], key);
          return left && { number, windows: left };
        });
      }
    },
    list: async (realm) =>
      withoutDoubles(await lanes.list(site('list', realm), keyOf(realm))).flatMap(
        ({ windows }) => windows,
      ),
    peek: (realm) => lanes.peekAll(keyOf(realm)).flatMap(({ windows }) => windows),
  };
}

function inMemorySettings(
  clock: Clock,
  hooks: Hooks,
  log: Pick<Log, 'error'> | undefined,
): InMemoryLedger['settings'] {
  const site = siteIn('settings');
  const settings = inMemoryCells<Readonly<Record<string, unknown>>>(hooks);
  const entries = inMemoryCells<SettingsEntry & Ordered>(hooks);
  const cellOf = (realm: Realm, tenant?: string) =>
    tenant === undefined ? keyOf(realm) : keyOf(realm, tenant);
  let written = 0;

  function readable(stored: Readonly<Record<string, unknown>> = {}) {
    const { settings: found, ignored } = storedSettings(stored);
    if (ignored.length > 0)
      log?.error(`alarm: settings are ignored that are none: ${ignored.join(', ')}`);
    return { found, isWhole: ignored.length === 0 };
  }

  return {
    async read(realm, tenant) {
      const [ofRealm, ofTenant] = await Promise.all([
        settings.read(site('read', realm), cellOf(realm)),
        settings.read(site('read', realm, tenant), cellOf(realm, tenant)),
      ]);
      return {
        ...DEFAULT_SETTINGS,
        ...readable(ofRealm.record).found,
        ...readable(ofTenant.record).found,
      };
    },
    async change(realm, tenant, actor, change) {
      const at = site('change', realm, tenant ?? 'realm', actor);
      let next: Partial<Settings> = {};
      const { changed } = await settings.change(at, cellOf(realm, tenant), (stored) => {
        const { found: current, isWhole } = readable(stored);
        next = changedSettings(current, change);
        return isWhole && JSON.stringify(current) === JSON.stringify(next) ? undefined : next;
      });
      if (changed) {
        written += 1;
        const entry = { at: timeOf(clock), actor, change, order: written };
        await entries.put(at, `${cellOf(realm, tenant)}#${written}`, entry, 0);
      }
      return { changed, record: next };
    },
    history: async (realm, tenant) =>
      inOrder(await entries.list(site('history', realm), `${cellOf(realm, tenant)}#`)),
    set: (realm, set, tenant) => settings.set(cellOf(realm, tenant), set),
  };
}

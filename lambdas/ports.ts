/** Every boundary of the system. Ports use our words; AWS errors are translated in the adapters. */
import type { Range } from './domain/datasets/dataset.ts';
import type { Digest } from './domain/datasets/digest.ts';
import type { Measurement, RangeSize } from './domain/datasets/size.ts';
import type { HistoryEntry } from './domain/moving/history.ts';
import type { Migration, MigrationKey, Phase } from './domain/moving/migration.ts';
import type { RangeRecord } from './domain/moving/range-record.ts';
import type { Receipt, ReceiptLink, Signature } from './domain/moving/receipt.ts';
import type { Slot } from './domain/moving/slots.ts';
import type { MetricName, WordOf } from './domain/operating/metric.ts';
import type { Settings, SettingsChange, SettingsEntry } from './domain/operating/settings.ts';
import type { Obstacles, RangeObstacles } from './domain/planning/obstacles.ts';
import type { Realm } from './domain/realm.ts';
import type { TenantName } from './domain/tenants/identity.ts';
import type { PurgeReceipt } from './domain/tenants/retirement.ts';
import type { TenantRecord } from './domain/tenants/tenant.ts';

/**
 * A pure decision on a record that was just read: returns the next record, `'remove'`, or
 * `undefined` to leave it. It runs again each time another writer has changed the record in
 * between.
 */
export type Decide<T> = (current: T | undefined) => T | 'remove' | undefined;

/** `changed` says whether this call wrote; `record` is the stored record after it. */
export interface Change<T> {
  readonly changed: boolean;
  readonly record: T | undefined;
}

/**
 * Every write is one conditional write on a single item. After a fault (`Fault`) it is unknown
 * whether it happened.
 */
export interface TenantStore {
  /** Strongly consistent. */
  read(realm: Realm, tenant: string): Promise<TenantRecord | undefined>;
  /**
   * Compare-and-set: reads, decides, and writes only if no other writer wrote in between; otherwise
   * decides again. A written tenant can be found by its names, and a removed one cannot.
   */
  change(realm: Realm, tenant: string, decide: Decide<TenantRecord>): Promise<Change<TenantRecord>>;
  /** All tenants whose own record in this realm, read strongly consistently, has this name. */
  find(realm: Realm, name: TenantName): Promise<readonly TenantRecord[]>;
  /**
   * Tenants that were retired and whose data is due to be purged by then, or is being purged, also
   * those that are being installed again: the purge tells whether that is under way. May lag behind
   * by a moment. Epoch milliseconds.
   */
  due(realm: Realm, now: number): Promise<readonly string[]>;
}

/** Migrations and their history. Every read is strongly consistent, except `open`. */
export interface MigrationStore {
  read(key: MigrationKey): Promise<Migration | undefined>;
  /** All migrations of the tenant that have their ledger in this realm, in no particular order. */
  list(ledger: Realm, tenant: string): Promise<readonly Migration[]>;
  /**
   * Compare-and-set. A change of status, and any change by an operator, also leaves a history entry
   * that names the actor (a hook, a task, the janitor, an operator).
   */
  change(key: MigrationKey, actor: string, decide: Decide<Migration>): Promise<Change<Migration>>;
  /** In the order of time. */
  history(key: MigrationKey): Promise<readonly HistoryEntry[]>;
  /** Migrations that are not final; may lag behind by a moment, so only the janitor reads it. */
  open(ledger: Realm): Promise<readonly Migration[]>;
}

/** Range records, in the ledger of the realm that writes. Reads are strongly consistent. */
export interface RangeRecordStore {
  read(realm: Realm, key: MigrationKey, range: string): Promise<RangeRecord | undefined>;
  list(realm: Realm, key: MigrationKey): Promise<readonly RangeRecord[]>;
  /**
   * Writes `next` if the stored record still has `next.revision`. Returns the stored record;
   * `undefined` when another worker has written.
   */
  put(realm: Realm, key: MigrationKey, next: RangeRecord): Promise<RangeRecord | undefined>;
}

/** Receipts of moves and purges, and a realm's chain of them. Reads are strongly consistent. */
export interface ReceiptStore {
  read(realm: Realm, tenant: string, id: string): Promise<Receipt | undefined>;
  /**
   * Replaces an earlier receipt of the same migration in this realm; never one of a later state,
   * nor one that the same realm has signed later.
   */
  write(realm: Realm, receipt: Receipt): Promise<void>;

  /** The chain of the receipts that this realm has signed, in the order of its numbers. */
  links(realm: Realm): Promise<readonly ReceiptLink[]>;
  lastLink(realm: Realm): Promise<ReceiptLink | undefined>;
  /** `false` where another receipt has taken the number. */
  addLink(realm: Realm, link: ReceiptLink): Promise<boolean>;

  /** The receipt of the purge of a retired tenant; replaces an earlier one of the same purge. */
  writePurge(realm: Realm, receipt: PurgeReceipt): Promise<void>;
  /** In the order of time. */
  purges(realm: Realm, tenant: string): Promise<readonly PurgeReceipt[]>;
}

/** The last count of a tenant's items in a realm, finished or not. */
export interface MeasurementStore {
  read(realm: Realm, tenant: string): Promise<Measurement | undefined>;
  /**
   * Replaces the count before, and keeps its obstacles. Two counts at once only take more time.
   */
  write(realm: Realm, tenant: string, measurement: Omit<Measurement, 'obstacles'>): Promise<void>;
  /** Replaces the obstacles, and keeps the count. */
  writeObstacles(realm: Realm, tenant: string, obstacles: Obstacles): Promise<void>;
}

/** The windows in which a realm is, or will be, a source. */
export interface SlotStore {
  /** `false` where `cap` others overlap the window. Holding it twice counts once. */
  take(
    key: MigrationKey,
    window: { readonly start: string; readonly end: string },
    cap: number,
  ): Promise<boolean>;
  free(key: MigrationKey): Promise<void>;
  list(realm: Realm): Promise<readonly Slot[]>;
}

/** What operators have set, for a realm and for single tenants. */
export interface SettingsStore {
  /**
   * The realm's settings, overridden by the tenant's. Invalid settings in an item that was edited
   * by hand are ignored, with an alarm.
   */
  read(realm: Realm, tenant: string): Promise<Settings>;
  /** Changes settings, and leaves a history entry. Returns what is now set there. */
  change(
    realm: Realm,
    tenant: string | undefined,
    actor: string,
    change: SettingsChange,
  ): Promise<Change<Partial<Settings>>>;
  /** In the order of time. */
  history(realm: Realm, tenant: string | undefined): Promise<readonly SettingsEntry[]>;
}

/** The ledger: the stores of the table `migrations`. Each write is one conditional write. */
export interface Ledger {
  readonly migrations: MigrationStore;
  readonly rangeRecords: RangeRecordStore;
  readonly receipts: ReceiptStore;
  readonly measurements: MeasurementStore;
  readonly slots: SlotStore;
  readonly settings: SettingsStore;
}

/** How far the work on a range is. `cursor` is opaque, and absent before the first item. */
export interface Checkpoint {
  readonly cursor?: string;
  readonly done: boolean;
  /** The digest of all items since the range began. */
  readonly digest: Digest;
  /** Items written or deleted since the range began. */
  readonly changed: number;
}

/**
 * Which items exist: those that expire at or before `asOf` do not; those that expire before
 * `lastingUntil` are not `lasting`. Epoch seconds.
 */
export interface Horizon {
  readonly asOf: number;
  readonly lastingUntil: number;
}

/**
 * How a range is read; strongly consistent where nothing is said. Eventually consistent reads
 * cost half, and may miss what is new.
 */
export type Reads = 'strong' | 'eventual';

/** One item of a range that is not the same on both sides; `key` is printable. */
export interface Difference {
  readonly key: string;
  readonly found: 'missing' | 'extra' | 'changed';
}

/**
 * Moves one kind of storage. Every function is safe to run twice, continues from `from` (a
 * checkpoint it yielded earlier) and ends early, but never before one page of progress, when
 * `until` (epoch milliseconds) has come. None touches another tenant's keys. `rateLimit` is the
 * largest number of items written or deleted per second; without it, as many as the store takes.
 */
export interface PartKind {
  /** Yields after its writes have been acknowledged. */
  copy(
    range: Range,
    source: Realm,
    target: Realm,
    horizon: Horizon,
    from: Checkpoint | undefined,
    until: number,
    rateLimit?: number,
    reads?: Reads,
  ): AsyncIterable<Checkpoint>;
  /**
   * An independent, strongly consistent reader. `beside` is the realm whose digest of this range it
   * will be compared with: a segment of a scanned table holds other items in each realm, so that
   * the range is what that realm's segment makes it.
   */
  digest(
    range: Range,
    realm: Realm,
    horizon: Horizon,
    from: Checkpoint | undefined,
    until: number,
    beside?: Realm,
  ): AsyncIterable<Checkpoint>;
  /** Makes `target` equal to `source`: writes different items, deletes extra ones. */
  restore(
    range: Range,
    source: Realm,
    target: Realm,
    horizon: Horizon,
    from: Checkpoint | undefined,
    until: number,
    rateLimit?: number,
    reads?: Reads,
  ): AsyncIterable<Checkpoint>;
  /** Deletes every item of the range in this realm, expired ones too. */
  purge(
    range: Range,
    realm: Realm,
    from: Checkpoint | undefined,
    until: number,
    rateLimit?: number,
  ): AsyncIterable<Checkpoint>;
  /** Strongly consistent; counts expired items that are still there. */
  isEmpty(range: Range, realm: Realm): Promise<boolean>;
  /**
   * The size of a range, without a transfer of its items where the store can count by itself. Items
   * are exact as of the reading, bytes roughly so. Continues an incomplete size that it returned
   * earlier, and returns one when `until` has come: `complete` tells.
   */
  size(range: Range, realm: Realm, until: number, from?: RangeSize): Promise<RangeSize>;
  /**
   * What stands in the way of a move of the range out of this realm. Continues an incomplete look
   * that it returned earlier. Absent where a kind of storage knows no such thing.
   */
  obstacles?(
    range: Range,
    realm: Realm,
    until: number,
    from?: RangeObstacles,
  ): Promise<RangeObstacles>;
  /**
   * Says that the place of a range is larger than declared, by one short request; `undefined` where
   * it is not. Absent where a kind of storage has no such limit.
   */
  oversize?(range: Range, realm: Realm): Promise<string | undefined>;
  /** Up to `limit` items of `target` that differ from `source`. */
  differences(
    range: Range,
    source: Realm,
    target: Realm,
    horizon: Horizon,
    limit: number,
  ): Promise<readonly Difference[]>;
}

/** Copies the samples of rehearsals to partition keys that no tenant can have. */
export interface Samples {
  /** Puts the first `limit` items of `from` under the key of `to`, a range of the same part. */
  copy(
    from: Range,
    source: Realm,
    to: Range,
    target: Realm,
    horizon: Horizon,
    limit: number,
  ): AsyncIterable<Checkpoint>;
}

/** One start of a phase. A restart has another attempt, and so another execution. */
export interface Run extends MigrationKey {
  readonly realm: Realm;
  readonly phase: Phase;
  readonly attempt: number;
}

export interface Workflows {
  /** Starts the run, or finds it running; `closed` when it has ended already, well or badly. */
  start(run: Run): Promise<'running' | 'closed'>;
}

/** Signs with the key of a realm, which never leaves the key store. */
export interface Signer {
  /** SHA-256 in hexadecimal digits; synchronous, for the simulation's sake. */
  hash(text: string): string;
  /** Signs a hash's digits. Throws a `Fault` where the key cannot be used now. */
  sign(realm: Realm, hash: string): Promise<Signature>;
}

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
}

/** One line per event; a field is never a secret, a token or an item. */
export interface Log {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/**
 * Metrics for the fleet, by the table in `domain/operating/metric.ts`. None names a tenant or a
 * migration; the log does.
 */
export interface Metrics {
  record<N extends MetricName>(name: N, value: number, ...word: WordOf<N>): void;
}

/** The claims of a verified token. */
export interface Claims {
  readonly iss: string;
  /** Epoch seconds. */
  readonly iat: number;
}

/** The claims of a verified Forge invocation token on its caller. */
export interface ForgeClaims {
  readonly installationId: string;
  /** Epoch seconds. */
  readonly iat: number;
  readonly cloudId?: string;
  /** Present where the app is installed in a single product. */
  readonly product?: string;
  /** Host of the site's URL. */
  readonly host?: string;
  /** For Bitbucket, which has no sites: such a token names neither cloud id nor host. */
  readonly workspaceId?: string;
}

/**
 * Whether the invocation with this id is known to be dead, with none of its writes still under way.
 * `true` voids its lease at once, so it must be certain. Where it is unknown, `false`, and the
 * lease runs out.
 */
export type IsGone = (owner: string) => boolean;

export interface Ports extends Ledger {
  readonly tenants: TenantStore;
  readonly partKind: PartKind;
  readonly workflows: Workflows;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly isGone: IsGone;
}

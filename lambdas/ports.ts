/** Every boundary of the system. Ports speak our words; AWS errors are translated where they happen. */
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
import type { Realm } from './domain/realm.ts';
import type { TenantName } from './domain/tenants/identity.ts';
import type { PurgeReceipt } from './domain/tenants/retirement.ts';
import type { TenantRecord } from './domain/tenants/tenant.ts';

/**
 * What a pure decision makes of a record that was just read: the next record, `'remove'`, or `undefined` to leave it.
 * It may run several times, as often as somebody else changes the record in between.
 */
export type Decide<T> = (current: T | undefined) => T | 'remove' | undefined;

/** `changed` says whether this call wrote; `record` is what now stands. */
export interface Change<T> {
  readonly changed: boolean;
  readonly record: T | undefined;
}

/** Every write is one conditional write on a single item, and a fault (`Fault`) leaves it unknown whether it happened. */
export interface TenantStore {
  /** Strongly consistent. */
  read(realm: Realm, tenant: string): Promise<TenantRecord | undefined>;
  /**
   * Compare-and-set: reads, decides, and writes only if nobody wrote in between; otherwise decides again. Whoever is
   * written can be found by its names, and whoever is removed can not.
   */
  change(realm: Realm, tenant: string, decide: Decide<TenantRecord>): Promise<Change<TenantRecord>>;
  /** All tenants of the realm whose own record, read strongly consistently, has this name; mostly one or none. */
  find(realm: Realm, name: TenantName): Promise<readonly TenantRecord[]>;
  /** Retired tenants whose data is due to be purged by then, or is being purged. May lag behind by a moment. Epoch milliseconds. */
  due(realm: Realm, now: number): Promise<readonly string[]>;
}

/** The status records of migrations and their history. Every read is strongly consistent, but for `open`. */
export interface MigrationStore {
  read(key: MigrationKey): Promise<Migration | undefined>;
  /** All migrations of the tenant that have their ledger in this realm, in no particular order. */
  list(ledger: Realm, tenant: string): Promise<readonly Migration[]>;
  /**
   * Compare-and-set. A change of status, and whatever an operator changes, also leaves a history entry that names the actor
   * (a hook, a task, the janitor, an operator).
   */
  change(key: MigrationKey, actor: string, decide: Decide<Migration>): Promise<Change<Migration>>;
  /** In the order of time. */
  history(key: MigrationKey): Promise<readonly HistoryEntry[]>;
  /** Migrations of this ledger that are not final. May lag behind by a moment: only the janitor looks here. */
  open(ledger: Realm): Promise<readonly Migration[]>;
}

/** The records of a migration's ranges, in the ledger of the realm that writes. Reads are strongly consistent. */
export interface RangeRecordStore {
  read(realm: Realm, key: MigrationKey, range: string): Promise<RangeRecord | undefined>;
  list(realm: Realm, key: MigrationKey): Promise<readonly RangeRecord[]>;
  /** Writes `next` if the stored record still has `next.revision`; the record as stored, or `undefined` when somebody else wrote. */
  put(realm: Realm, key: MigrationKey, next: RangeRecord): Promise<RangeRecord | undefined>;
}

/** The signed-off records of moves and of purges, and the chain that they form in a realm. Reads are strongly consistent. */
export interface ReceiptStore {
  read(realm: Realm, tenant: string, id: string): Promise<Receipt | undefined>;
  /**
   * Replaces an earlier receipt of the same migration in this realm; never one of a later state, nor one that the same realm
   * has signed later.
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

/** The last count of what a tenant has in a realm, finished or not. */
export interface MeasurementStore {
  read(realm: Realm, tenant: string): Promise<Measurement | undefined>;
  /** Replaces the one before. Two who count at once cost a little time, and nothing else. */
  write(realm: Realm, tenant: string, measurement: Measurement): Promise<void>;
}

/** The windows in which a realm is, or will be, a source. */
export interface SlotStore {
  /** Holds a window for a migration, unless `cap` others overlap it: then `false`. Holding twice counts once. */
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
   * What is set for the realm, overlaid with what is set for the tenant. What is not a setting, in an item that was edited by
   * hand, is ignored, with an alarm.
   */
  read(realm: Realm, tenant: string): Promise<Settings>;
  /** Sets the realm's settings, or a tenant's, and leaves a history entry; what is now set there. */
  change(
    realm: Realm,
    tenant: string | undefined,
    actor: string,
    change: SettingsChange,
  ): Promise<Change<Partial<Settings>>>;
  /** In the order of time. */
  history(realm: Realm, tenant: string | undefined): Promise<readonly SettingsEntry[]>;
}

/** The stores of a realm's table `migrations`: the ledger. Each write is one conditional write on a single item. */
export interface Ledger {
  readonly migrations: MigrationStore;
  readonly rangeRecords: RangeRecordStore;
  readonly receipts: ReceiptStore;
  readonly measurements: MeasurementStore;
  readonly slots: SlotStore;
  readonly settings: SettingsStore;
}

/** Where a range's work stands. `cursor` is opaque, and absent before the first item. */
export interface Checkpoint {
  readonly cursor?: string;
  readonly done: boolean;
  /** Of all items seen since the range began. */
  readonly digest: Digest;
  /** Items written or deleted since the range began. */
  readonly changed: number;
}

/** Which items exist: those that expire at or before `asOf` do not; those that expire before `lastingUntil` are not `lasting`. Epoch seconds. */
export interface Horizon {
  readonly asOf: number;
  readonly lastingUntil: number;
}

/** How the source is read; strongly consistent where nothing is said. Eventually consistent reads cost half, and may miss what is new. */
export type Reads = 'strong' | 'eventual';

/** One item of a range that is not the same on both sides; `key` is printable. */
export interface Difference {
  readonly key: string;
  readonly found: 'missing' | 'extra' | 'changed';
}

/**
 * How one kind of storage is moved. Every function is safe to run twice, continues from `from` (a checkpoint it yielded
 * earlier) and ends early, but never before one page of progress, when `until` (epoch milliseconds) has come. None
 * touches another tenant's keys. `rateLimit` is how many items are written or deleted per second at most; without it, as many as
 * the store takes.
 */
export interface PartKind {
  /** Yields after what it wrote has been acknowledged. */
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
  /** An independent, strongly consistent reader. */
  digest(
    range: Range,
    realm: Realm,
    horizon: Horizon,
    from: Checkpoint | undefined,
    until: number,
  ): AsyncIterable<Checkpoint>;
  /** Makes `target` equal to `source`: writes what differs, deletes what is extra, touches nothing that is equal. */
  restore(
    range: Range,
    source: Realm,
    target: Realm,
    horizon: Horizon,
    from: Checkpoint | undefined,
    until: number,
    rateLimit?: number,
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
   * How much a range holds, without a transfer of its items where the store can count by itself. Items are exact as of the
   * reading, bytes roughly so. Goes on from an incomplete size that it returned earlier, and returns one when `until` has
   * come: `complete` says so.
   */
  size(range: Range, realm: Realm, until: number, from?: RangeSize): Promise<RangeSize>;
  /** Up to `limit` items that are not the same in `target` as in `source`. */
  differences(
    range: Range,
    source: Realm,
    target: Realm,
    horizon: Horizon,
    limit: number,
  ): Promise<readonly Difference[]>;
}

/** What a rehearsal copies. Its targets are partition keys that no tenant can have. */
export interface Samples {
  /** Puts up to `limit` of the first items of `from` under the partition key of `to`, another range of the same part. */
  copy(
    from: Range,
    source: Realm,
    to: Range,
    target: Realm,
    horizon: Horizon,
    limit: number,
  ): AsyncIterable<Checkpoint>;
}

/** One start of one phase. The attempt is in the execution's name, so that a restart is a new execution. */
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
  /** SHA-256 of a text, in hexadecimal digits; synchronous, because the simulation decides itself what comes next. */
  hash(text: string): string;
  /** Signs the hexadecimal digits of a SHA-256 hash. Throws a `Fault` where the key cannot be used at the moment. */
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

/** Numbers for the fleet, by the table in `domain/operating/metric.ts`; whose move it was, the log says. */
export interface Metrics {
  record<N extends MetricName>(name: N, value: number, ...word: WordOf<N>): void;
}

/** What a verified token says. */
export interface Claims {
  readonly iss: string;
  /** Epoch seconds. */
  readonly iat: number;
}

/** What a verified Forge invocation token says of who calls. */
export interface ForgeClaims {
  readonly installationId: string;
  /** Epoch seconds. */
  readonly iat: number;
  readonly cloudId?: string;
  /** Where the app is installed in one product alone. */
  readonly product?: string;
  /** Of the site's URL. */
  readonly host?: string;
  /** Of Bitbucket, which has no sites: such a token names neither cloud id nor host. */
  readonly workspaceId?: string;
}

/**
 * Whether the invocation of this id is known to run no more, nor any write of its to be under way. `true` voids its
 * lease at once, so that only certainty counts: where nobody can know, `false`, and the lease runs out.
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

/**
 * A tenant's record in one realm: its fence, its credentials, and what is known of its
 * installation.
 */
import type { Realm } from '../realm.ts';

/**
 * The state in one realm.
 *
 * - `active` serves.
 * - `frozen` refuses writes: the source, while it is copied.
 * - `standby` is a target before its commit.
 * - `moved` is a source after its commit.
 * - `withdrawn` is a target in a rollback.
 * - `retired` is uninstalled; its data is kept for a while.
 * - `purging` was retired for so long that its data is being deleted.
 * - `opening` waits until it is certain that no other realm serves the tenant.
 */
export type TenantState =
  | 'active'
  | 'frozen'
  | 'standby'
  | 'moved'
  | 'withdrawn'
  | 'retired'
  | 'purging'
  | 'opening';

/**
 * Versioned by the issue time of the token that brought them. The newer ones win in every realm.
 */
export interface Credentials {
  /**
   * Absent where no Connect installation has brought one. Then no Connect token of the tenant can
   * be verified.
   */
  readonly sharedSecret?: string;
  /** Epoch seconds. */
  readonly iat: number;
  /**
   * Hashes of the tokens of that second, in the order of their arrival. The last one brought these
   * credentials.
   */
  readonly tokens?: readonly string[];
}

/** What `/installed` delivered, without the secret. Unknown fields are kept. */
export type Installation = Readonly<Record<string, unknown>>;

/**
 * A Forge installation, and the newest issue time, in epoch seconds, of a token that announced it.
 */
export interface ForgeInstallation {
  /** `ari:cloud:ecosystem::installation/…` */
  readonly id: string;
  readonly iat: number;
}

/**
 * An operator's decision whether an installation belongs to the tenant, where only a host name
 * connects the two.
 */
export interface Adoption {
  readonly verb: 'adopt' | 'disown';
  readonly installation: string;
  readonly cloudId?: string;
  /** The operator. */
  readonly actor: string;
  /** ISO. The newest decision on an installation counts. */
  readonly at: string;
}

/**
 * The names that Atlassian has for the tenant besides our own id, and what identifies its site. All
 * of it moves with the tenant.
 */
export interface Identity {
  /** Present only where it differs from our id. */
  readonly clientKey?: string;
  /** In the order in which they were announced; a reinstallation adds one. */
  readonly installations?: readonly ForgeInstallation[];
  /**
   * Older ones, by which the tenant is no longer found, and under which its items may still lie.
   * The oldest first.
   */
  readonly formerInstallations?: readonly string[];
  readonly cloudId?: string;
  /** `jira`, `confluence` … */
  readonly product?: string;
  /**
   * The app's own id of the tenant, by which its tables may be keyed. Never changes once it is
   * known.
   */
  readonly tenantKey?: string;
  /** In the order of time. */
  readonly adoptions?: readonly Adoption[];
}

export interface TenantRecord extends Identity {
  /**
   * Our own id: the client key of a tenant that first came by Connect, otherwise derived from its
   * first Forge installation.
   */
  readonly tenant: string;
  readonly state: TenantState;
  readonly credentials: Credentials;
  readonly installation: Installation;
  /** The migration that owns the fence: set in `frozen`, `standby`, `moved` and `withdrawn`. */
  readonly migration?: string;
  /** The realm with the ledger record of that migration, or of the arrival: its source. */
  readonly ledger?: Realm;
  /** The migration by which the tenant arrived and became active here. */
  readonly arrivedBy?: string;
  /** Migrations that have released this record; none of them can fence it again. */
  readonly released?: readonly string[];
  /**
   * Epoch milliseconds at which the fence was set, or the target withdrawn: the drain time counts
   * from here.
   */
  readonly fencedAt?: number;
  /** The realm that serves the tenant instead (`moved`). */
  readonly movedTo?: Realm;
  /** Withdrawn after it had served: only this realm may have some writes. */
  readonly wasOpen?: true;
  /**
   * A claimed target that still holds data of a retired tenant, which must be cleared before
   * anything is copied.
   */
  readonly unclean?: true;
  /**
   * Issue time, in epoch seconds, of the `uninstalled` that counts: a step to `active` then gives
   * `retired`.
   */
  readonly uninstalledIat?: number;
  /** Epoch seconds from which the data of a retired tenant may be purged. */
  readonly purgeDueAt?: number;
  /**
   * The invocation that purges a retired tenant, the end of its lease (epoch milliseconds), and
   * when the purge began.
   */
  readonly purge?: { readonly owner: string; readonly until: number; readonly begunAt: string };
  /**
   * Retired by a take-over: perhaps the customer's only copy, and never purged without an operator.
   */
  readonly keep?: true;
  /** Issue time of the `installed` that is opening this realm. */
  readonly openingIat?: number;
  /** Epoch seconds after which a `moved` stub vanishes. */
  readonly expiresAt?: number;
}

/**
 * How long the data of an uninstalled tenant is kept (realm persistence: a reinstallation within 30
 * days returns to it).
 */
export const RETIRED_DAYS = 30;
/** How long a `moved` stub keeps verifying late hooks. */
export const STUB_DAYS = 30;

/** A record that a migration owns, or by whose migration it arrived. */
export type OwnedRecord = TenantRecord & { readonly migration: string };
export type ArrivedRecord = TenantRecord & { readonly arrivedBy: string };

/** `state(m)`: the record is in one of these states, and the migration `m` owns it. */
export const isOwnedBy = (
  record: TenantRecord | undefined,
  migration: string,
  ...states: readonly TenantState[]
): record is OwnedRecord =>
  record !== undefined && record.migration === migration && states.includes(record.state);

/** True where the tenant arrived here by `m`; also when it was uninstalled since. */
export const arrivedBy = (
  record: TenantRecord | undefined,
  migration: string,
): record is ArrivedRecord =>
  record !== undefined &&
  record.arrivedBy === migration &&
  (record.state === 'active' || record.state === 'retired');

/** True where `m` has released the source. Closing leaves the same mark, but also a fence. */
export const hasReleased = (record: TenantRecord | undefined, migration: string): boolean =>
  record !== undefined &&
  (record.released?.includes(migration) ?? false) &&
  record.migration !== migration;

/** The record that a committed move leaves in its source, until it expires. */
export const isStub = (record: TenantRecord): boolean =>
  record.state === 'moved' && record.expiresAt !== undefined;

/**
 * In the middle of a move: another realm must not take the tenant over. A stub with an expiry
 * belongs to a move that is over.
 */
export const isInMove = (record: TenantRecord): boolean =>
  ['frozen', 'standby', 'withdrawn'].includes(record.state) ||
  (record.state === 'moved' && record.expiresAt === undefined);

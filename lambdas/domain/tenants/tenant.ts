/** A tenant's record in one realm: its fence, its credentials, and what is known of the installation. */
import type { Realm } from '../realm.ts';

/**
 * Per realm: `active` serves; `frozen` refuses writes (source, while copying); `standby` is a target before commit;
 * `moved` is a source after commit; `withdrawn` is a target in a rollback; `retired` is uninstalled, its data kept for a
 * while; `purging` is retired for so long that its data is being deleted; `opening` waits until it is certain that no other realm serves the tenant.
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

/** Versioned by the issue time of the token that brought them: the newer one wins in every realm. */
export interface Credentials {
  /** None where no Connect installation has brought one: no Connect token of the tenant can then be verified. */
  readonly sharedSecret?: string;
  /** Epoch seconds. */
  readonly iat: number;
  /** Hashes of the tokens of that second, in the order of their arrival: the last brought what stands. */
  readonly tokens?: readonly string[];
}

/** What `/installed` delivered, without the secret. Unknown fields are kept. */
export type Installation = Readonly<Record<string, unknown>>;

/** A Forge installation, and the newest issue time, in epoch seconds, of a token that announced it. */
export interface ForgeInstallation {
  /** `ari:cloud:ecosystem::installation/…` */
  readonly id: string;
  readonly iat: number;
}

/** An operator's word on whose an installation is, or is not, where only a host name could have told. */
export interface Adoption {
  readonly verb: 'adopt' | 'disown';
  readonly installation: string;
  readonly cloudId?: string;
  /** Who said so. */
  readonly actor: string;
  /** ISO. The newest word on an installation stands. */
  readonly at: string;
}

/** What Atlassian calls the tenant besides our own id, and what tells its site. All of it moves with the tenant. */
export interface Identity {
  /** Only where it is another text than our id. */
  readonly clientKey?: string;
  /** In the order in which they were announced; a reinstallation brings another. */
  readonly installations?: readonly ForgeInstallation[];
  readonly cloudId?: string;
  /** `jira`, `confluence` … */
  readonly product?: string;
  /** The app's own id of the tenant, by which its tables may be keyed. Never changes once it is known. */
  readonly tenantKey?: string;
  /** In the order of time. */
  readonly adoptions?: readonly Adoption[];
}

export interface TenantRecord extends Identity {
  /** Our own id: the client key of a tenant that first came by Connect, otherwise derived from its first Forge installation. */
  readonly tenant: string;
  readonly state: TenantState;
  readonly credentials: Credentials;
  readonly installation: Installation;
  /** The migration that owns the fence: set in `frozen`, `standby`, `moved` and `withdrawn`. */
  readonly migration?: string;
  /** Where that migration's, or the arrival's, ledger record is: its source realm. */
  readonly ledger?: Realm;
  /** The migration by which the tenant came to be active here. */
  readonly arrivedBy?: string;
  /** Migrations that have let go of this record; none of them can fence it again. */
  readonly released?: readonly string[];
  /** Epoch milliseconds at which the fence was set, or the target withdrawn: the drain time counts from here. */
  readonly fencedAt?: number;
  /** The realm that serves the tenant instead (`moved`). */
  readonly movedTo?: Realm;
  /** Withdrawn after it had served: writes may be here that are nowhere else. */
  readonly wasOpen?: true;
  /** A claimed target that still holds data of an earlier residency, which must be discarded before anything is copied. */
  readonly unclean?: true;
  /** Issue time, in epoch seconds, of the `uninstalled` that stands: whoever would make the tenant active makes it `retired`. */
  readonly uninstalledIat?: number;
  /** Epoch seconds from which the data of a retired tenant may be purged. */
  readonly purgeDueAt?: number;
  /** Who purges a retired tenant, until when (epoch milliseconds), and since when. */
  readonly purge?: { readonly owner: string; readonly until: number; readonly begunAt: string };
  /** Retired by a take-over: perhaps the customer's only copy, and never purged without an operator. */
  readonly keep?: true;
  /** Issue time of the `installed` that is opening this realm. */
  readonly openingIat?: number;
  /** Epoch seconds after which a `moved` stub vanishes. */
  readonly expiresAt?: number;
}

/** How long the data of an uninstalled tenant is kept (realm persistence: a reinstallation within 30 days returns to it). */
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

/** Serves by the arrival of `m`; also when it was uninstalled since. */
export const arrivedBy = (
  record: TenantRecord | undefined,
  migration: string,
): record is ArrivedRecord =>
  record !== undefined &&
  record.arrivedBy === migration &&
  (record.state === 'active' || record.state === 'retired');

/** The source has been let go by `m` through a release, not by closing it (which leaves the same mark, and a fence). */
export const hasReleased = (record: TenantRecord | undefined, migration: string): boolean =>
  record !== undefined &&
  (record.released?.includes(migration) ?? false) &&
  record.migration !== migration;

/** What a committed move leaves in its source, until it expires. */
export const isStub = (record: TenantRecord): boolean =>
  record.state === 'moved' && record.expiresAt !== undefined;

/** In the middle of a move: another realm must not take the tenant over. A stub with an expiry is a move that is over. */
export const isInMove = (record: TenantRecord): boolean =>
  ['frozen', 'standby', 'withdrawn'].includes(record.state) ||
  (record.state === 'moved' && record.expiresAt === undefined);

/**
 * Decides whether a realm may hold items of a tenant, by the tenant's record there and the
 * migration that owns the record.
 */
import type { Status } from '../moving/migration.ts';
import type { TenantState } from '../tenants/tenant.ts';

/** The state of a tenant in one realm, as far as it says whether items may be there. */
export interface Standing {
  /** A `TenantState`, as it was read; `none` where there is no record. */
  readonly state: string;
  /**
   * The `Status` of the migration that owns the record; absent where none does, or where it is not
   * on record.
   */
  readonly migrationStatus?: string;
}

/** In these states the realm is the tenant's only one, or keeps the data until it is purged. */
const KEEPS: readonly string[] = ['active', 'frozen', 'retired', 'purging'] satisfies TenantState[];
const FINAL: readonly string[] = ['committed', 'rolled-back'] satisfies Status[];

/**
 * A migration that is not final works in both of its realms. A final one has proven one of them
 * empty.
 */
export const isUnderWay = ({ migrationStatus }: Standing): boolean =>
  migrationStatus !== undefined && !FINAL.includes(migrationStatus);

/** Whether items of the tenant may be in this realm. */
export const mayHoldItems = (standing: Standing): boolean =>
  KEEPS.includes(standing.state) || isUnderWay(standing);

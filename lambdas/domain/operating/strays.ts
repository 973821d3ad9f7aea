/** Where a tenant's items have business, by its record there and by the migration that owns that record. */
import type { Status } from '../moving/migration.ts';
import type { TenantState } from '../tenants/tenant.ts';

/** A tenant's record in one realm, as far as it says whether items belong there. */
export interface Standing {
  /** A `TenantState`, as it was read; `none` where there is no record. */
  readonly state: string;
  /** A `Status`: of the migration that owns the record; absent where none does, or where it is not on record. */
  readonly migrationStatus?: string;
}

/** In these a realm has the tenant to itself, or keeps what it left until it is purged. */
const KEEPS: readonly string[] = ['active', 'frozen', 'retired', 'purging'] satisfies TenantState[];
const FINAL: readonly string[] = ['committed', 'rolled-back'] satisfies Status[];

/** A migration that is not final works in both of its realms; one that is final has proven one of them empty. */
export const isUnderWay = ({ migrationStatus }: Standing): boolean =>
  migrationStatus !== undefined && !FINAL.includes(migrationStatus);

/** Whether items of the tenant may be in a realm where it stands like this. */
export const mayHoldItems = (standing: Standing): boolean =>
  KEEPS.includes(standing.state) || isUnderWay(standing);

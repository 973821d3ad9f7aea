/** Where a tenant's items have business, by its record there and by the migration that owns that record. */
import { isFinal, type Status } from '../moving/migration.ts';
import type { TenantState } from '../tenants/tenant.ts';

/** A tenant's record in one realm, as far as it says whether items belong there; `none` where there is no record. */
export interface Standing {
  readonly state: TenantState | 'none';
  /** Of the migration that owns the record; absent where none does, or where it is not on record. */
  readonly migrationStatus?: Status;
}

/** In these a realm has the tenant to itself, or keeps what it left until it is purged. */
const KEEPS: readonly Standing['state'][] = ['active', 'frozen', 'retired', 'purging'];

/** A migration that is not final works in both of its realms; one that is final has proven one of them empty. */
export const isUnderWay = ({ migrationStatus }: Standing): boolean =>
  migrationStatus !== undefined && !isFinal({ status: migrationStatus });

/** Whether items of the tenant may be in a realm where it stands like this. */
export const mayHoldItems = (standing: Standing): boolean =>
  KEEPS.includes(standing.state) || isUnderWay(standing);

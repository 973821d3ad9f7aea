/** Finds the migration that a command means: the one that was named, or the tenant's last. */
import type { Migration } from '../../../lambdas/domain/moving/migration.ts';
import { isLater } from '../../../lambdas/domain/moving/migration.ts';
import type { Operator } from '../operator.ts';
import { isKnown, unknownTenant } from '../tenants/known-tenant.ts';
import { Failure } from '../terminal/failure.ts';

/**
 * A migration is on record in its source. An operator need not know which realm that is, so every
 * ledger is asked.
 */
export async function migrationOf(
  reads: Pick<Operator, 'ledger' | 'realms' | 'tenants'>,
  tenant: string,
  id: string | undefined,
): Promise<Migration> {
  const { ledger, realms } = reads;
  const found = (
    await Promise.all(realms.map((realm) => ledger.migrations.list(realm, tenant)))
  ).flat();
  const meant = id === undefined ? found : found.filter((migration) => migration.id === id);
  const [last, ...others] = meant.toSorted((one, other) => (isLater(one, other) ? -1 : 1));
  if (last === undefined) {
    if (!(await isKnown(reads, tenant))) throw unknownTenant(tenant);
    throw new Failure(
      id === undefined
        ? `no migration of ${tenant} is on record`
        : `no migration ${id} of ${tenant} is on record`,
    );
  }
  if (id !== undefined && others.length > 0) {
    // Two records share an id only where one is the tombstone of a rollback that reached another
    // realm.
    const known = meant.find(({ facts }) => facts !== undefined);
    return known ?? last;
  }
  return last;
}

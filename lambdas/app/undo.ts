/** Undoes a migration: for the rollback hook, an uninstallation, operators and the janitor. */
import { isNoOp, type Migration } from '../domain/moving/migration.ts';
import { Fault } from '../domain/refusal.ts';
import { arrivedBy, isOwnedBy } from '../domain/tenants/tenant.ts';
import type { AppContext } from './app-context.ts';
import { fieldsOf } from './steps.ts';

export function undo({ ports, steps }: Pick<AppContext, 'ports' | 'steps'>) {
  const { tenants, log } = ports;

  /**
   * Undoes a migration as long as `mayStill` holds, which the write itself checks again (a commit
   * that was answered in between must stand). Returns the record after it. Safe twice. Throws a
   * `Fault` where the record changed meanwhile.
   */
  async function undoMigration(
    migration: Migration,
    actor: string,
    mayStill: (current: Migration) => boolean = () => true,
  ): Promise<Migration> {
    const isUndone = migration.status === 'rolling-back' || migration.status === 'rolled-back';
    if (!isUndone && !mayStill(migration)) return migration;
    if (migration.status === 'committed' && !(await canStillReturn(migration))) {
      log.error(
        `alarm: migration ${migration.id} is committed and its target has moved on: it stays`,
        fieldsOf(migration),
      );
      return migration;
    }
    const next = await steps.take(migration, 'rollback', actor, {}, mayStill);
    if (next.status === 'rolling-back' && isNoOp(next)) {
      return undoMigration(await steps.take(next, 'undone', actor), actor, mayStill);
    }
    if (next.status === 'rolling-back') return steps.drive(next, actor);
    if (next.status === 'rolled-back') await steps.afterRollback(next);
    else if (next.status !== migration.status) return undoMigration(next, actor, mayStill);
    else if (mayStill(next))
      throw new Fault(`migration ${next.id} changed while it was being rolled back`);
    return next;
  }

  async function canStillReturn({ tenant, id, source, target }: Migration): Promise<boolean> {
    if (source === target) return true;
    const [there, back] = await Promise.all([
      tenants.read(target, tenant),
      tenants.read(source, tenant),
    ]);
    // A tenant that retired in the target has not moved on: it comes back as it is.
    return arrivedBy(there, id) && isOwnedBy(back, id, 'moved');
  }

  return undoMigration;
}

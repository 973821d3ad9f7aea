/**
 * What a rollback does about installations that were announced after the copy: their keys are
 * restored and discarded too, and items that were never copied are not overwritten.
 */
import { namedValues, type Range, rangeIdsOf } from '../../domain/datasets/dataset.ts';
import {
  extended,
  isKeyedAlike,
  type KeyValues,
  keyValuesOf,
} from '../../domain/datasets/key-values.ts';
import { copiedValuesOf, type Migration, valuesOf } from '../../domain/moving/migration.ts';
import { PermanentError } from '../../domain/refusal.ts';
import type { TenantRecord } from '../../domain/tenants/tenant.ts';
import type { AppContext } from '../app-context.ts';
import { fieldsOf } from '../steps.ts';

export function lateKeys({ ports, settings: { parts } }: AppContext) {
  const { migrations, partKind, clock, log } = ports;
  return { withLateKeys, checkNothingLost };

  /**
   * A target that has served may have items by an installation that was announced there: these are
   * restored and discarded too.
   */
  async function withLateKeys(
    migration: Migration,
    records: readonly (TenantRecord | undefined)[],
  ): Promise<Migration> {
    const known = valuesOf(migration);
    const values = records.reduce<KeyValues>(
      (all, record) =>
        record === undefined ? all : extended(all, namedValues(parts, keyValuesOf(record))),
      known,
    );
    if (isKeyedAlike(known, values)) return migration;
    const late = (values.installations ?? []).filter((id) => !known.installations?.includes(id));
    const { record } = await migrations.change(migration, 'begin-restore', (current) =>
      current?.status === 'rolling-back' && current.attempt === migration.attempt
        ? {
            ...current,
            keyValues: values,
            lateInstallations: [...(current.lateInstallations ?? []), ...late],
          }
        : undefined,
    );
    if (record === undefined || !isKeyedAlike(valuesOf(record), values))
      throw new PermanentError(`migration ${migration.id} was changed by another hook or task`);
    return record;
  }

  /**
   * Refuses to restore over items of a late installation that were never copied: the app had
   * written them in the source before the installation was announced. Items that are equal on both
   * sides, or missing in the source, are those that an earlier attempt has restored or has still to
   * restore.
   */
  async function checkNothingLost(migration: Migration, range: Range): Promise<void> {
    const { id, source, target, lateInstallations = [] } = migration;
    if (lateInstallations.length === 0) return;
    const copied = new Set(rangeIdsOf(parts, copiedValuesOf(migration)));
    if (copied.has(range.id) || (await partKind.isEmpty(range, source))) return;
    const now = Math.floor(clock.now() / 1000);
    const horizon = { asOf: now, lastingUntil: now };
    const all = Number.MAX_SAFE_INTEGER;
    const found = await partKind.differences(range, target, source, horizon, all);
    const lost = found.filter((difference) => difference.found !== 'missing');
    if (lost.length === 0) return;
    const reason = `range ${range.id} holds ${lost.length} items in ${source} that were never copied, of an installation that became known after the copy`;
    log.error(
      `alarm: migration ${id} cannot be rolled back: ${reason}: copy them to ${target}, and try again`,
      fieldsOf(migration),
    );
    throw new PermanentError(reason);
  }
}

/**
 * Phases restore (in the source) and rollback (in the target): withdraw, copy back where the target
 * had served, release, discard.
 */
import { rangesOf } from '../../domain/datasets/dataset.ts';
import { type Migration, valuesOf } from '../../domain/moving/migration.ts';
import { allFinished } from '../../domain/moving/range-record.ts';
import { PermanentError } from '../../domain/refusal.ts';
import { kept, release, withdraw, withFactsOf } from '../../domain/tenants/fence.ts';
import {
  arrivedBy,
  hasReleased,
  isOwnedBy,
  type TenantRecord,
} from '../../domain/tenants/tenant.ts';
import type { AppContext } from '../app-context.ts';
import { fieldsOf } from '../steps.ts';
import { backupsExpireAfter, checkApart, emptying, notEmpty, purgeAgain } from './deletion.ts';
import { lateKeys } from './late-keys.ts';
import { busyUntil } from './leases.ts';
import { issued, scopeOf } from './notary.ts';
import { rangeTask } from './range-task.ts';
import {
  expected,
  IDLE,
  movingRanges,
  notYet,
  type Plan,
  plan,
  type RunKey,
  runKey,
  secondsLeft,
} from './task-input.ts';

/** A lease of five minutes takes at most 150 looks: under 1,000 events. */
const LOOK_AGAIN_SECONDS = 2;

export function rollbackTasks(context: AppContext) {
  const { ports, steps, settings } = context;
  const { tenants, rangeRecords, receipts, partKind, clock, log } = ports;
  const { parts } = settings;
  const { withLateKeys, checkNothingLost } = lateKeys(context);

  /** Safe twice: the target is withdrawn once, and its record keeps that it had served. */
  async function beginRestore(input: unknown): Promise<Plan> {
    const run = runKey(input);
    const migration = await expected(ports, run);
    const { tenant, id, source } = migration;
    const wait = await waitForWorkers(migration);
    if (wait) return wait;
    // The stub must not expire while the source is being restored.
    const { record: from } = await tenants.change(source, tenant, (current) => kept(current, id));
    if (migration.committedAt && !isOwnedBy(from, id, 'moved') && !hasReleased(from, id))
      return stays(migration);
    const to = await withdrawTarget(migration);
    const isPast = migration.committedAt ?? migration.pointOfNoReturn;
    if (isPast && !isOwnedBy(to, id, 'withdrawn') && !hasReleased(from, id))
      return stays(migration);
    if (!mustRestore(migration, from, to)) return IDLE;
    const keyed = await withLateKeys(migration, [from, to]);
    return plan(context, keyed, run.phase, {
      waitSeconds: secondsLeft(to?.fencedAt ?? 0, settings.drainSeconds, clock.now()),
    });
  }

  /** A committed migration whose target has moved on cannot be undone. Nothing has been changed. */
  async function stays(migration: Migration): Promise<never> {
    await steps.take(migration, 'kept', 'begin-restore', {
      committedAt: migration.committedAt ?? new Date(clock.now()).toISOString(),
    });
    log.error(
      `alarm: migration ${migration.id} stays committed: its target has moved on`,
      fieldsOf(migration),
    );
    throw new PermanentError('the target has moved on');
  }

  /**
   * Where the target had been open, it may have writes that the source lacks. After the release,
   * the source is ahead of the target.
   */
  function mustRestore(
    migration: Migration,
    from: TenantRecord | undefined,
    to: TenantRecord | undefined,
  ): boolean {
    const hasServed = isOwnedBy(to, migration.id, 'withdrawn') && to.wasOpen === true;
    return hasServed && !migration.restored && !hasReleased(from, migration.id);
  }

  /**
   * Safe twice: writes only what differs. The source is closed, the target withdrawn and drained.
   */
  const restoreSourceRange = rangeTask(context, {
    on: 'moving',
    workOf: (record) => (record?.work === 'verify-restore' ? undefined : 'restore-source'),
    async how({ run, migration, range }) {
      const { source, target } = migration;
      const stored = await rangeRecords.read(source, migration, range.id);
      if (stored?.source === undefined) await checkNothingLost(migration, range);
      return {
        realm: source,
        sides: [
          {
            side: 'source',
            pages: (horizon, from, until, rateLimit) =>
              partKind.restore(range, target, source, horizon, from, until, rateLimit),
          },
        ],
        check: async () => {
          await expected(ports, run);
          await checkShut(migration);
        },
      };
    },
  });

  async function checkShut({ tenant, id, source, target }: Migration): Promise<void> {
    const [from, to] = await Promise.all([
      tenants.read(source, tenant),
      tenants.read(target, tenant),
    ]);
    if (!isOwnedBy(from, id, 'moved')) throw new PermanentError('the source is not closed');
    if (!isOwnedBy(to, id, 'withdrawn')) throw new PermanentError('the target is not withdrawn');
  }

  /**
   * Safe twice: hands over to the rollback, once everything that had to be restored is verified.
   */
  async function finishRestore(input: unknown): Promise<void> {
    const migration = await expected(ports, runKey(input));
    const { tenant, id, source, target } = migration;
    const [from, to] = await Promise.all([
      tenants.read(source, tenant),
      tenants.read(target, tenant),
    ]);
    if (!mustRestore(migration, from, to))
      return steps.restart(migration, 'finish-restore', { phase: 'rollback' });

    const records = await rangeRecords.list(source, migration);
    if (!allFinished(records, movingRanges(parts, valuesOf(migration)), 'verify-restore'))
      return steps.restart(migration, 'finish-restore');
    if (to) {
      await tenants.change(source, tenant, (current) =>
        isOwnedBy(current, id, 'moved') ? withFactsOf(current, to) : undefined,
      );
    }
    await steps.restart(migration, 'finish-restore', { phase: 'rollback', restored: true });
  }

  /**
   * Safe twice: a withdrawn target stays withdrawn. A target that turns out to have served sends
   * the migration back to restore.
   */
  async function beginRollback(input: unknown): Promise<Plan> {
    const run = runKey(input);
    const migration = await expected(ports, run);
    const { tenant, id, source } = migration;
    const wait = await waitForWorkers(migration);
    if (wait) return wait;
    const to = await withdrawTarget(migration);
    if (mustRestore(migration, await tenants.read(source, tenant), to)) {
      await steps.restart(migration, 'begin-rollback', { phase: 'restore' });
      throw new PermanentError('the target has served: the source is restored first');
    }
    // There is no record, or another migration owns it: then this migration may change no data in
    // the target.
    if (!isOwnedBy(to, id, 'withdrawn')) return IDLE;
    return plan(context, migration, run.phase, {
      waitSeconds: secondsLeft(to.fencedAt ?? 0, settings.drainSeconds, clock.now()),
    });
  }

  async function withdrawTarget({
    tenant,
    id,
    target,
  }: Migration): Promise<TenantRecord | undefined> {
    return (await tenants.change(target, tenant, (current) => withdraw(current, id, clock.now())))
      .record;
  }

  /**
   * No target is withdrawn, no source released and nothing discarded before every lease has been
   * given back or has run out.
   */
  async function waitForWorkers(migration: Migration): Promise<Plan | undefined> {
    const until = await busyUntil(ports, migration);
    if (until === 0) return undefined;
    // A worker that still runs notices the rollback within a page; only one that has died lets its
    // lease run out.
    const waitSeconds = Math.min(LOOK_AGAIN_SECONDS, Math.ceil((until - clock.now()) / 1000) + 1);
    return notYet(waitSeconds);
  }

  /** Safe twice: done once, and the source's record keeps it. Never while the target serves. */
  async function releaseSource(input: unknown): Promise<void> {
    const migration = await expected(ports, runKey(input));
    const { tenant, id, source, target } = migration;
    const [from, to] = await Promise.all([
      tenants.read(source, tenant),
      tenants.read(target, tenant),
    ]);
    if (arrivedBy(to, id)) throw new PermanentError('the target still serves the tenant');
    if (mustRestore(migration, from, to))
      throw new PermanentError('the source is not restored yet');
    if (migration.pointOfNoReturn && !migration.restored && !hasReleased(from, id)) {
      throw new PermanentError('the source was purged, and is not restored');
    }
    if (isOwnedBy(to, id, 'withdrawn') && to.wasOpen) {
      await tenants.change(source, tenant, (current) =>
        isOwnedBy(current, id, 'moved')
          ? release(withFactsOf(kept(current, id) ?? current, to) ?? current, id, clock.now())
          : undefined,
      );
    }
    await steps.release(migration);
  }

  /**
   * Safe twice: deletes what is left. Only where this migration has withdrawn its own copy, and
   * released the source.
   */
  const discardTargetRange = rangeTask(context, {
    on: 'all',
    workOf: () => 'discard-target',
    how: async (asked) => ({
      ...emptying(partKind, asked, 'target'),
      check: () => checkMayDiscard(asked.run),
    }),
  });

  async function checkMayDiscard(run: RunKey): Promise<void> {
    checkApart(context);
    const { tenant, id, source, target } = await expected(ports, run);
    const [from, to] = await Promise.all([
      tenants.read(source, tenant),
      tenants.read(target, tenant),
    ]);
    if (!isOwnedBy(to, id, 'withdrawn')) throw new PermanentError('the target is not withdrawn');
    if (isOwnedBy(from, id, 'frozen', 'moved'))
      throw new PermanentError('the source is not released yet');
  }

  /**
   * Safe twice: proof, receipts, tenant record, status. A receipt with a proof is not replaced by
   * one without.
   */
  async function finishRollback(input: unknown): Promise<void> {
    const migration = await expected(ports, runKey(input));
    const { tenant, id, source, target, checksums = {} } = migration;
    const record = await tenants.read(target, tenant);
    const isOurs = isOwnedBy(record, id, 'withdrawn');
    const ranges = isOurs ? rangesOf(parts, valuesOf(migration)) : [];
    const records = await rangeRecords.list(target, migration);
    if (!allFinished(records, ranges, 'discard-target'))
      return steps.restart(migration, 'finish-rollback');
    const left = await notEmpty(context, ranges, target);
    if (left.length > 0) {
      await purgeAgain(ports, target, migration, records, left);
      log.error(`alarm: migration ${id}: the discarded target is not empty`, fieldsOf(migration));
      throw new PermanentError('the discarded target is not empty');
    }
    const now = clock.now();
    const at = new Date(now).toISOString();
    const emptied = {
      provenEmpty: { realm: target, at, ranges: ranges.map((range) => range.id) },
      backupsExpire: backupsExpireAfter(settings.backupDays, now),
    };
    const earlier = await receipts.read(source, tenant, id);
    if (isOurs || earlier?.state !== 'rolled-back') {
      const receipt = await issued(ports, target, {
        tenant,
        id,
        source,
        target,
        state: 'rolled-back',
        at,
        checksums,
        ...(isOurs && emptied),
        ...(migration.ahead && { ahead: migration.ahead }),
        scope: await scopeOf(context, migration),
      });
      for (const realm of [target, source]) await receipts.write(realm, receipt);
    }
    await tenants.change(target, tenant, (current) =>
      isOwnedBy(current, id, 'withdrawn') ? 'remove' : undefined,
    );
    await steps.afterRollback(migration);
    await steps.take(migration, 'undone', 'finish-rollback');
  }

  return {
    beginRestore,
    restoreSourceRange,
    finishRestore,
    beginRollback,
    releaseSource,
    discardTargetRange,
    finishRollback,
  };
}

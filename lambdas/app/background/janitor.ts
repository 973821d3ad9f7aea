/**
 * The janitor ends migrations that Atlassian no longer asks about, and starts phases again whose
 * execution has died. A hook could have taken each of its steps.
 */

import { isFinal, isNoOp, isTooLate, type Migration } from '../../domain/moving/migration.ts';
import { isStuck } from '../../domain/moving/stuck.ts';
import { isWorthAhead } from '../../domain/planning/copy-ahead.ts';
import { isHopeless, project } from '../../domain/planning/projection.ts';
import { HOUR_MS, MINUTE_MS, WRONG_CLOCK_MS } from '../../domain/time.ts';
import type { AppContext } from '../app-context.ts';
import { fieldsOf } from '../steps.ts';
import { undo } from '../undo.ts';

/** A schedule that never started ends this long after its window. */
const SCHEDULE_SLACK = 30 * MINUTE_MS;
/** Atlassian rolls a failed move back by itself, but not later than this. */
const FAILED_SLACK = HOUR_MS;
/** A commit comes after the window, when the site is back, but not later than this. */
const COMMIT_SLACK = 12 * HOUR_MS;
/** By then Atlassian has given up a commit hook that was never answered. */
const UNANSWERED_SLACK = 10 * MINUTE_MS;

export function janitor(context: AppContext) {
  const { ports, steps, settings } = context;
  const { migrations, rangeRecords, slots, clock, log, metrics } = ports;
  const { realm: here } = settings;
  const undoMigration = undo(context);

  /**
   * Safe twice, and beside any hook: it only takes steps of the transition table. A failure with
   * one migration does not stop the others.
   */
  async function run(): Promise<void> {
    const stuck = new Set<Migration>();
    for (const listed of await migrations.open(here)) {
      try {
        const migration = await migrations.read(listed);
        if (migration && isStuck(migration, clock.now())) stuck.add(listed);
        if (migration && !isFinal(migration)) await tend(await inOurTime(migration));
      } catch (error) {
        stuck.add(listed);
        log.error(
          `alarm: migration ${listed.id} cannot be tended: ${error instanceof Error ? error.message : 'unknown error'}`,
          fieldsOf(listed),
        );
      }
    }
    if (stuck.size > 0) metrics.record('StuckMigrations', stuck.size);
    await freeLeakedSlots();
  }

  /**
   * Rewrites a record from before the clock was set back: its waiting times count from now on,
   * instead of from a time in the future.
   */
  async function inOurTime(migration: Migration): Promise<Migration> {
    const { updatedAt } = migration;
    if (Date.parse(updatedAt) <= clock.now() + WRONG_CLOCK_MS) return migration;
    const { record } = await migrations.change(migration, 'janitor', (current) =>
      current?.updatedAt === updatedAt ? current : undefined,
    );
    return record ?? migration;
  }

  async function tend(migration: Migration): Promise<void> {
    const now = clock.now();
    const end = Date.parse(migration.facts?.endTime ?? migration.scheduledAt);
    const quietFor = now - Date.parse(migration.updatedAt);
    const isUnchanged = (current: Migration) =>
      current.status === migration.status && current.driven === migration.driven;
    switch (migration.status) {
      case 'scheduled':
        if (now > end + SCHEDULE_SLACK) {
          await steps.afterExpiry(await steps.take(migration, 'expire', 'janitor'), 'janitor');
        } else if (migration.phase === 'ahead') {
          await steps.drive(migration, 'janitor');
        } else if (settings.copyAhead && isWorthAhead(migration, settings.copyAhead, now)) {
          await steps.beginAhead(migration, 'janitor');
        }
        return;
      case 'copying':
        if (isTooLate(migration, now)) {
          await steps.fail(
            migration,
            'E9999',
            'the window ended before the copy was verified',
            'janitor',
          );
        } else if (!(await foresee(migration))) {
          // The copy makes sure of the fence, and so finishes a start that crashed before it.
          await steps.drive(migration, 'janitor');
        }
        return;
      case 'failed':
        await steps.release(migration);
        if (now > end && quietFor > FAILED_SLACK)
          await undoMigration(migration, 'janitor', isUnchanged);
        return;
      case 'ready-to-commit':
        if (now > end + COMMIT_SLACK) await undoMigration(migration, 'janitor', isUnchanged);
        return;
      case 'committing':
        if (migration.halted) {
          log.error(
            `alarm: migration ${migration.id} is halted: ${migration.halted}`,
            fieldsOf(migration),
          );
        } else if (
          migration.driven === undefined &&
          migration.attempt > 0 &&
          !migration.pointOfNoReturn
        ) {
          if (quietFor > UNANSWERED_SLACK) await undoMigration(migration, 'janitor', isUnchanged);
        } else {
          await steps.drive(migration, 'janitor');
        }
        return;
      case 'rolling-back':
        await undoMigration(migration, 'janitor', () => true);
        return;
    }
  }

  /**
   * Projects the end of the copy; `true` when the copy was given up, in time for the site to come
   * back.
   */
  async function foresee(migration: Migration): Promise<boolean> {
    if (migration.estimate === undefined || isNoOp(migration)) return false;
    const records = await rangeRecords.list(migration.target, migration);
    const next = project(migration, records, settings.drainSeconds, clock.now());
    if (next === undefined) return false;
    const { record } = await migrations.change(migration, 'janitor', (current) =>
      current?.status === 'copying' && current.attempt === migration.attempt
        ? { ...current, projection: next }
        : undefined,
    );
    const end = Date.parse(migration.facts?.endTime ?? migration.scheduledAt);
    const late = (Date.parse(next.endsAt) - end) / MINUTE_MS;
    metrics.record('MinutesBeyondWindow', Math.max(0, late));
    if (record?.status !== 'copying' || !isHopeless(next, record)) return false;
    const reason = `by what is done so far, the copy would be verified at ${next.endsAt}, after its window`;
    log.error(`alarm: migration ${migration.id} is given up: ${reason}`, fieldsOf(migration));
    await steps.fail(record, 'E9999', reason, 'janitor');
    return true;
  }

  /**
   * A crash between slot and record, or between a final status and its slot, leaves a slot without
   * a migration.
   */
  async function freeLeakedSlots(): Promise<void> {
    for (const { tenant, id, takenAt } of await slots.list(here)) {
      const key = { ledger: here, tenant, id };
      const migration = await migrations.read(key);
      const isLeaked =
        migration === undefined ? clock.now() - Date.parse(takenAt) > HOUR_MS : isFinal(migration);
      // The same crash may have left the fence.
      if (migration?.status === 'rolled-back') await steps.afterRollback(migration);
      else if (isLeaked) await slots.free(key);
    }
  }

  return run;
}

/**
 * Phase commit, in the source realm: grace time, recheck, the point of no return, purge, proof,
 * receipt.
 */

import { type Range, rangesOf, strayRanges } from '../../domain/datasets/dataset.ts';
import { extended, keyValuesOf } from '../../domain/datasets/key-values.ts';
import { type Migration, valuesOf } from '../../domain/moving/migration.ts';
import { allFinished, type RangeRecord } from '../../domain/moving/range-record.ts';
import { PermanentError } from '../../domain/refusal.ts';
import { stub } from '../../domain/tenants/fence.ts';
import { arrivedBy, isOwnedBy, STUB_DAYS } from '../../domain/tenants/tenant.ts';
import { DAY_SECONDS } from '../../domain/time.ts';
import type { AppContext } from '../app-context.ts';
import { fieldsOf } from '../steps.ts';
import { backupsExpireAfter, checkApart, emptying, notEmpty, purgeAgain } from './deletion.ts';
import { leasedUntil } from './leases.ts';
import { issued, scopeOf } from './notary.ts';
import { brokenChecksums, heldBy, partChecksums } from './part-checksums.ts';
import { rangeTask } from './range-task.ts';
import {
  expected,
  movingRanges,
  type Plan,
  plan,
  type RunKey,
  runKey,
  secondsLeft,
} from './task-input.ts';

export function commitTasks(context: AppContext) {
  const { ports, steps, settings } = context;
  const { tenants, rangeRecords, migrations, receipts, slots, partKind, clock, log, metrics } =
    ports;
  const { parts } = settings;

  /**
   * Safe twice: reads only. Once the purge may have begun, the source has changed, and is not
   * rechecked.
   */
  async function beginCommit(input: unknown): Promise<Plan> {
    const run = runKey(input);
    const migration = await expected(ports, run);
    await checkSwitched(migration);
    const planned = await plan(context, migration, run.phase);
    if (migration.pointOfNoReturn) return { ...planned, moving: [] };
    const since = Date.parse(migration.updatedAt);
    return {
      ...planned,
      waitSeconds: secondsLeft(since, settings.commitGraceSeconds, clock.now()),
    };
  }

  /**
   * Safe twice: set once. The source is compared with what was verified, never with the target,
   * which serves and may rightly differ.
   */
  async function passPointOfNoReturn(input: unknown): Promise<void> {
    const migration = await expected(ports, runKey(input));
    if (migration.pointOfNoReturn) return;
    checkApart(context);
    const { source } = migration;
    await checkSwitched(migration);
    const records = await rangeRecords.list(source, migration);
    if (!allFinished(records, movingRanges(parts, valuesOf(migration)), 'recheck-source')) {
      await steps.restart(migration, 'pass-point-of-no-return');
      throw new PermanentError('the source is not rechecked yet: the next attempt goes on');
    }
    const broken = brokenChecksums(
      migration.checksums ?? {},
      partChecksums(parts, valuesOf(migration), records),
    );
    if (broken.length > 0) {
      await lookAgain(migration, records);
      return halt(migration, `the source has changed since it was verified: ${broken.join(', ')}`);
    }
    const { changed, record } = await migrations.change(
      migration,
      'pass-point-of-no-return',
      (current) =>
        current?.status === 'committing' &&
        current.attempt === migration.attempt &&
        !current.pointOfNoReturn
          ? { ...current, pointOfNoReturn: new Date(clock.now()).toISOString() }
          : undefined,
    );
    if (!changed && !record?.pointOfNoReturn)
      throw new PermanentError(`migration ${migration.id} was changed by another hook or task`);
  }

  /**
   * Removes what was read, so that the attempt after an operator's repair reads the source again.
   */
  async function lookAgain(migration: Migration, records: readonly RangeRecord[]): Promise<void> {
    for (const { source: _, ...record } of records) {
      if (record.work !== 'recheck-source') continue;
      await rangeRecords.put(migration.source, migration, { ...record, done: false });
    }
  }

  /** Keeps both sides, and waits for an operator or a rollback. */
  async function halt(
    migration: Migration,
    reason: string,
    actor = 'pass-point-of-no-return',
  ): Promise<never> {
    await migrations.change(migration, actor, (current) =>
      current?.status === 'committing' && current.attempt === migration.attempt
        ? { ...current, halted: reason }
        : undefined,
    );
    metrics.record('VerifyMismatches', 1);
    log.error(`alarm: migration ${migration.id} is halted: ${reason}`, fieldsOf(migration));
    throw new PermanentError(reason);
  }

  /**
   * Safe twice: deletes what is left. Runs only after the point of no return, and never in a realm
   * that serves.
   */
  const purgeSourceRange = rangeTask(context, {
    on: 'all',
    workOf: () => 'purge-source',
    how: async (asked) => ({
      ...emptying(partKind, asked, 'source'),
      check: () => checkMayPurge(asked.run),
    }),
  });

  async function checkMayPurge(run: RunKey): Promise<void> {
    checkApart(context);
    const migration = await expected(ports, run);
    if (!migration.pointOfNoReturn)
      throw new PermanentError('the point of no return has not been passed');
    const record = await tenants.read(migration.source, migration.tenant);
    if (!isOwnedBy(record, migration.id, 'moved'))
      throw new PermanentError('the source is not closed');
  }

  /**
   * Safe twice: proof, stub, receipt, status. A receipt that a crash keeps from the target is
   * fetched when it is needed.
   */
  async function finishCommit(input: unknown): Promise<void> {
    const migration = await expected(ports, runKey(input));
    const { tenant, id, source, target, checksums = {} } = migration;
    const records = await rangeRecords.list(source, migration);
    const ranges = rangesOf(parts, valuesOf(migration));
    if (!allFinished(records, ranges, 'purge-source'))
      return steps.restart(migration, 'finish-commit');
    if ((await leasedUntil(ports, source, migration, records)) > 0)
      throw new Error('a worker of the source has not given its lease back yet');
    const left = await notEmpty(context, ranges, source);
    if (left.length > 0) {
      await purgeAgain(ports, source, migration, records, left);
      log.error(`alarm: migration ${id}: the purged source is not empty`, fieldsOf(migration));
      throw new PermanentError('the purged source is not empty');
    }

    const late = await provenLate(migration);
    const now = clock.now();
    const at = new Date(now).toISOString();
    const provenEmpty = {
      realm: source,
      at,
      ranges: [...ranges, ...late].map(({ id: range }) => range),
    };
    const backupsExpire = backupsExpireAfter(settings.backupDays, now);
    const receipt = await issued(ports, source, {
      tenant,
      id,
      source,
      target,
      state: 'committed',
      at,
      checksums,
      provenEmpty,
      held: heldBy(parts, valuesOf(migration), checksums, records),
      backupsExpire,
      ...(migration.ahead && { ahead: migration.ahead }),
      scope: await scopeOf(context, migration),
    });
    await tenants.change(source, tenant, (current) =>
      stub(current, id, Math.floor(now / 1000) + STUB_DAYS * DAY_SECONDS),
    );
    await receipts.write(source, receipt);
    // Writes the status before the target's receipt: once the receipt is there, the tenant may move
    // on.
    await steps.take(migration, 'purged', 'finish-commit', { committedAt: at });
    await receipts.write(target, receipt);
    await slots.free(migration);
  }

  /**
   * The ranges in which the tenant may have items by an installation that became known after its
   * copy. They are empty, or the commit halts: such items were never copied, and must not be left
   * behind unseen.
   */
  async function provenLate(migration: Migration): Promise<readonly Range[]> {
    const record = await tenants.read(migration.source, migration.tenant);
    const fixed = valuesOf(migration);
    const known = record === undefined ? fixed : extended(fixed, keyValuesOf(record));
    const late = strayRanges(parts, fixed, known);
    const empty = await Promise.all(late.map((range) => partKind.isEmpty(range, migration.source)));
    const left = new Set(late.flatMap(({ part }, at) => (empty[at] ? [] : [part])));
    if (left.size === 0) return late;
    return halt(
      migration,
      `the source holds items in ${[...left].join(', ')} of an installation that became known after the copy: they were never copied`,
      'finish-commit',
    );
  }

  /**
   * Checks that the commit hook's sequence has been finished: the source is closed, the target
   * open.
   */
  async function checkSwitched({ tenant, id, source, target }: Migration): Promise<void> {
    const [from, to] = await Promise.all([
      tenants.read(source, tenant),
      tenants.read(target, tenant),
    ]);
    if (!isOwnedBy(from, id, 'moved')) throw new PermanentError('the source is not closed');
    if (!arrivedBy(to, id)) throw new PermanentError('the target is not open');
  }

  return { beginCommit, passPointOfNoReturn, purgeSourceRange, finishCommit };
}

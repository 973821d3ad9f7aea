/** Phase copy, in the target realm: fence, claim, copy, verify, ready to commit. */
import { strayRanges } from '../../domain/datasets/dataset.ts';
import { keyValuesOf } from '../../domain/datasets/key-values.ts';
import { type Migration, valuesOf } from '../../domain/moving/migration.ts';
import { allFinished } from '../../domain/moving/range-record.ts';
import { PermanentError } from '../../domain/refusal.ts';
import { withFactsOf } from '../../domain/tenants/fence.ts';
import { isOwnedBy } from '../../domain/tenants/tenant.ts';
import type { Reads } from '../../ports.ts';
import type { AppContext } from '../app-context.ts';
import { fieldsOf } from '../steps.ts';
import { recordWindow } from '../with-metrics.ts';
import { emptying } from './deletion.ts';
import { failureIn } from './failure-reason.ts';
import { partChecksums } from './part-checksums.ts';
import { rangeTask } from './range-task.ts';
import type { Invocation } from './range-turn.ts';
import { targetClaim } from './target-claim.ts';
import {
  expected,
  movingRanges,
  notYet,
  type Plan,
  plan,
  runKey,
  secondsLeft,
} from './task-input.ts';

export function copyTasks(context: AppContext) {
  const { ports, steps, settings } = context;
  const { tenants, rangeRecords, receipts, migrations, partKind, clock, log } = ports;
  const { parts } = settings;
  const { leasedClaim, claimTarget, isClean, checkTarget, inTime } = targetClaim(context);

  /**
   * Safe twice: the second time, fence and claim are this migration's own. It holds a lease, as
   * every writer of the target.
   */
  async function prepareCopy(input: unknown, invocation: Invocation): Promise<Plan> {
    const run = runKey(input);
    const migration = inTime(await expected(ports, run));
    const waitSeconds = await leasedClaim(migration, 'copy', invocation, async () =>
      fenceAndClaim(await expected(ports, run)),
    );
    if (waitSeconds > 0) return notYet(waitSeconds);
    const [source, target] = await Promise.all([
      tenants.read(migration.source, migration.tenant),
      tenants.read(migration.target, migration.tenant),
    ]);
    return plan(context, await expected(ports, run), run.phase, {
      unclean: target?.unclean ?? false,
      waitSeconds: secondsLeft(source?.fencedAt ?? clock.now(), settings.drainSeconds, clock.now()),
    });
  }

  async function fenceAndClaim(migration: Migration): Promise<void> {
    const { tenant, id, source } = migration;
    if (!(await steps.fence(migration)))
      throw new PermanentError('the tenant is not fenced in the source');
    const from = await tenants.read(source, tenant);
    if (!isOwnedBy(from, id, 'frozen'))
      throw new PermanentError('the tenant is not fenced in the source');
    await claimTarget(migration, from);
  }

  /**
   * Safe twice: deletes what is left. Only the data of an earlier, retired residency is here:
   * nothing is copied before it is gone. Phase ahead clears by it too.
   */
  const clearTargetRange = rangeTask(context, {
    on: 'all',
    workOf: (record) => (record?.cleared ? undefined : 'clear'),
    async how(asked) {
      inTime(asked.migration);
      return {
        ...emptying(partKind, asked, 'target'),
        check: () => checkTarget(asked.run, { mayBeUnclean: true }),
      };
    },
  });

  /**
   * Safe twice: puts the same items again, from the last checkpoint on, which follows the page. A
   * range that its verification has found to differ is made equal: different items are written,
   * extra ones deleted.
   */
  const copyRange = rangeTask(context, {
    on: 'moving',
    workOf(record) {
      if (record?.work === 'verify-copy') return undefined;
      // Rule 18: what was begun ahead is made equal, deletions included.
      const isBegun = record?.work === 'copy-ahead' || record?.work === 'repair-target';
      return isBegun ? 'repair-target' : 'copy';
    },
    async how({ run, migration, range, work, record }) {
      const { source, target } = inTime(migration);
      recordWindow(ports, migration);
      if (!(await isClean(migration))) return undefined;
      const write = work === 'copy' ? partKind.copy : partKind.restore;
      // What was copied ahead is read for half the price, after the drain: what that might miss,
      // the verification finds. What the verification has found is read strongly consistently.
      const reads: Reads = work === 'copy' || record?.repaired ? 'strong' : 'eventual';
      return {
        realm: target,
        sides: [
          {
            side: 'target',
            pages: (horizon, from, until, rateLimit) =>
              write(range, source, target, horizon, from, until, rateLimit, reads),
          },
        ],
        check: () => checkTarget(run, { mayBeUnclean: false }),
      };
    },
  });

  /**
   * Safe twice: the status moves once. What is unfinished goes on in the next attempt, a new
   * execution.
   */
  async function finishCopy(input: unknown): Promise<void> {
    const run = runKey(input);
    const migration = inTime(await expected(ports, run));
    const { tenant, id, source, target } = migration;
    const records = await rangeRecords.list(target, migration);
    if (!allFinished(records, movingRanges(parts, valuesOf(migration)), 'verify-copy'))
      return steps.restart(migration, 'finish-copy');

    const from = await tenants.read(source, tenant);
    if (!isOwnedBy(from, id, 'frozen'))
      throw new PermanentError('the tenant is not fenced in the source');
    // It has come to be known by another installation: the next attempt copies what is there too.
    if (strayRanges(parts, valuesOf(migration), keyValuesOf(from)).length > 0)
      return steps.restart(migration, 'finish-copy');
    const { record } = await tenants.change(target, tenant, (current) =>
      isOwnedBy(current, id, 'standby') ? withFactsOf(current, from) : undefined,
    );
    if (!isOwnedBy(record, id, 'standby')) throw new PermanentError('the target is not claimed');
    const checksums = partChecksums(parts, valuesOf(migration), records);
    const at = new Date(clock.now()).toISOString();
    await receipts.write(target, {
      tenant,
      id,
      source,
      target,
      state: 'ready-to-commit',
      at,
      checksums,
    });
    await steps.take(migration, 'copied', 'finish-copy', { checksums });
  }

  /** Safe twice: a migration fails once, and its fence may be released any number of times. */
  async function failMigration(input: unknown): Promise<void> {
    const run = runKey(input);
    const migration = await migrations.read(run);
    if (migration?.status !== 'copying' || migration.attempt !== run.attempt) return;
    const { failure }: { failure?: unknown } = { ...(typeof input === 'object' ? input : {}) };
    const reason = failureIn(failure);
    log.error(`alarm: migration ${migration.id} cannot be copied: ${reason}`, fieldsOf(migration));
    await steps.fail(migration, 'E9999', reason, 'fail-migration');
  }

  return { prepareCopy, clearTargetRange, copyRange, finishCopy, failMigration };
}

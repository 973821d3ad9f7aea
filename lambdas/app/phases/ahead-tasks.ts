/**
 * Phase ahead, in the target realm, while the source serves: claim, copy what is there, and leave
 * the rest to the move.
 */
import { type Migration, valuesOf } from '../../domain/moving/migration.ts';
import { allFinished } from '../../domain/moving/range-record.ts';
import { aheadRate } from '../../domain/planning/copy-ahead.ts';
import { PermanentError } from '../../domain/refusal.ts';
import type { AppContext } from '../app-context.ts';
import { fieldsOf } from '../steps.ts';
import { failureIn } from './failure-reason.ts';
import { rangeTask } from './range-task.ts';
import type { Invocation } from './range-turn.ts';
import { checkServing, targetClaim } from './target-claim.ts';
import { expected, IDLE, movingRanges, notYet, type Plan, plan, runKey } from './task-input.ts';

export function aheadTasks(context: AppContext) {
  const { ports, steps, settings } = context;
  const { tenants, rangeRecords, migrations, partKind, clock, log } = ports;
  const { parts } = settings;
  const { leasedClaim, claimTarget, isClean, checkTarget, inTime } = targetClaim(context);

  /**
   * Safe twice: the claim is this migration's own the second time. The schedule was marked before
   * (rule 16). A claim that cannot be had ends the phase quietly: the move itself will say what is
   * wrong.
   */
  async function prepareAhead(input: unknown, invocation: Invocation): Promise<Plan> {
    const run = runKey(input);
    const migration = await expected(ports, run);
    try {
      const waitSeconds = await leasedClaim(migration, 'copy-ahead', invocation, async () =>
        claimServed(await expected(ports, run)),
      );
      if (waitSeconds > 0) return notYet(waitSeconds);
    } catch (error) {
      if (!(error instanceof PermanentError)) throw error;
      log.warn(
        `migration ${migration.id} is not copied ahead: ${error.message}`,
        fieldsOf(migration),
      );
      await steps.endAhead(migration, 'prepare-ahead', { stopped: error.message });
      return IDLE;
    }
    const target = await tenants.read(migration.target, migration.tenant);
    return plan(context, await expected(ports, run), run.phase, {
      unclean: target?.unclean ?? false,
    });
  }

  /** Rule 3, from a source that serves. */
  async function claimServed(migration: Migration): Promise<void> {
    const { source, tenant, id } = inTime(migration);
    const from = await tenants.read(source, tenant);
    checkServing(from, id);
    await claimTarget(migration, from);
  }

  /**
   * Safe twice: puts the same items again, from the last checkpoint on. Reads are eventually
   * consistent, at half the price: what they miss is found behind the fence.
   */
  const copyAheadRange = rangeTask(context, {
    on: 'moving',
    workOf: () => 'copy-ahead',
    async how({ run, migration, range }) {
      const { source, target } = inTime(migration);
      if (!(await isClean(migration))) return undefined;
      return {
        realm: target,
        mostPerSecond: aheadRate(settings.copyAhead, migration.estimate),
        sides: [
          {
            side: 'target',
            pages: (horizon, from, until, rateLimit) =>
              partKind.copy(range, source, target, horizon, from, until, rateLimit, 'eventual'),
          },
        ],
        check: () => checkTarget(run, { mayBeUnclean: false }),
      };
    },
  });

  /**
   * Safe twice: writes what was copied once. Of a schedule that has been started or cancelled
   * meanwhile, nothing is left to say; what failed otherwise is thrown, so that the execution ends
   * badly and `settle` starts the next attempt.
   */
  async function finishAhead(input: unknown): Promise<void> {
    const run = runKey(input);
    if (run.phase !== 'ahead')
      throw new PermanentError(`phase ${run.phase} does not end by the task of phase ahead`);
    const migration = await migrations.read(run);
    const isAtHand =
      migration?.status === 'scheduled' &&
      migration.phase === 'ahead' &&
      migration.attempt === run.attempt;
    if (!isAtHand) return;
    const { failure }: { failure?: unknown } = { ...(typeof input === 'object' ? input : {}) };
    if (failure !== undefined) throw new PermanentError(failureIn(failure));
    const records = await rangeRecords.list(migration.target, migration);
    if (!allFinished(records, movingRanges(parts, valuesOf(migration)), 'copy-ahead'))
      return steps.restart(migration, 'finish-ahead');
    const copied = records.flatMap(({ work, target }) =>
      work === 'copy-ahead' && target ? [target.digest] : [],
    );
    await steps.endAhead(migration, 'finish-ahead', {
      finishedAt: new Date(clock.now()).toISOString(),
      items: copied.reduce((sum, { items }) => sum + items, 0),
      bytes: copied.reduce((sum, { bytes }) => sum + bytes, 0),
    });
  }

  return { prepareAhead, copyAheadRange, finishAhead };
}

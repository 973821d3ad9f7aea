/** Phase copy, in the target realm: fence, claim, copy, verify, ready to commit. */
import { namedValues, rangesOf, strayRanges } from '../../domain/datasets/dataset.ts';
import { extended, isKeyedAlike, keyValuesOf } from '../../domain/datasets/key-values.ts';
import { isNoOp, isTooLate, type Migration, valuesOf } from '../../domain/moving/migration.ts';
import { allFinished } from '../../domain/moving/range-record.ts';
import { PermanentError } from '../../domain/refusal.ts';
import { claim, cleaned, withFactsOf } from '../../domain/tenants/fence.ts';
import { isOwnedBy, isStub, type TenantRecord } from '../../domain/tenants/tenant.ts';
import type { AppContext } from '../app-context.ts';
import { concurrently } from '../concurrently.ts';
import { fieldsOf } from '../steps.ts';
import { tenantKeys } from '../tenant-keys.ts';
import { recordWindow } from '../with-metrics.ts';
import { checkApart, emptying } from './deletion.ts';
import { failureIn } from './failure-reason.ts';
import { partChecksums } from './part-checksums.ts';
import { rangeTask } from './range-task.ts';
import { endOfTurn, type Invocation, rangeTurn } from './range-turn.ts';
import {
  expected,
  movingRanges,
  notYet,
  type Plan,
  plan,
  type RunKey,
  runKey,
  secondsLeft,
} from './task-input.ts';

export function copyTasks(context: AppContext) {
  const { ports, steps, settings } = context;
  const { tenants, rangeRecords, receipts, migrations, partKind, clock, log } = ports;
  const { parts } = settings;
  const keys = tenantKeys(context);

  /** Safe twice: fence and claim are this migration's own the second time. Holds a lease, as every writer of the target. */
  async function prepareCopy(input: unknown, invocation: Invocation): Promise<Plan> {
    const run = runKey(input);
    const migration = await inTime(await expected(ports, run));
    const turn = await rangeTurn(
      ports,
      {
        migration,
        range: CLAIM,
        work: 'copy',
        realm: migration.target,
        sides: [],
        check: async () => claimTarget(await expected(ports, run)),
        // Never done: each attempt looks again.
        conclude: async () => 'again',
        turn: 1,
        until: endOfTurn(clock.now(), invocation),
        rateLimit: undefined,
      },
      invocation,
    );
    // Another invocation is claiming the target, or has died of it: then its lease runs out.
    if (turn.waitSeconds > 0) return notYet(turn.waitSeconds);
    const [source, target] = await Promise.all([
      tenants.read(migration.source, migration.tenant),
      tenants.read(migration.target, migration.tenant),
    ]);
    return plan(context, await expected(ports, run), run.phase, {
      unclean: target?.unclean ?? false,
      waitSeconds: secondsLeft(source?.fencedAt ?? clock.now(), settings.drainSeconds, clock.now()),
    });
  }

  async function claimTarget(migration: Migration): Promise<void> {
    checkApart(context);
    const { tenant, id, source, target } = migration;
    if (!(await steps.fence(migration)))
      throw new PermanentError('the tenant is not fenced in the source');
    const from = await tenants.read(source, tenant);
    if (!isOwnedBy(from, id, 'frozen'))
      throw new PermanentError('the tenant is not fenced in the source');
    const there = await tenants.read(target, tenant);
    const keyed = await withKeys(migration, there?.state === 'retired' ? [from, there] : [from]);
    if (there === undefined || isStub(there)) await checkUnused(keyed);
    const { record } = await tenants.change(target, tenant, (current) =>
      claim(current, from, id, source),
    );
    // Not for good: it is over in a while, and then there is nothing here.
    if (record?.state === 'purging')
      throw new Error(`the data of an earlier residency is being purged in realm ${target}`);
    if (!isOwnedBy(record, id, 'standby')) {
      throw new PermanentError(
        `realm ${target} has a record of the tenant that is ${record?.state}`,
      );
    }
  }

  /**
   * Fixes, behind the fence, what the tenant's keys are made of. It adds what was learned since the
   * schedule, and the values of a retired tenant in the target, whose items are purged first. Each
   * attempt fixes them again, because the copy ends only when no key is missing.
   */
  async function withKeys(
    migration: Migration,
    records: readonly TenantRecord[],
  ): Promise<Migration> {
    const known = valuesOf(migration);
    const learned = records.map((record) => namedValues(parts, keyValuesOf(record)));
    const values = learned.reduce(extended, known);
    if (learned.some((later) => strayRanges(parts, values, later).length > 0))
      throw new PermanentError(
        'what the keys of the tenant are made of has changed since it was scheduled',
      );
    const reason = await keys.obstacle(values, [migration.source, migration.target]);
    if (reason !== undefined) throw new PermanentError(`its items cannot be moved: ${reason}`);
    if (isKeyedAlike(known, values)) return migration;
    const { record } = await migrations.change(migration, 'prepare-copy', (current) =>
      current?.status === 'copying' && current.attempt === migration.attempt
        ? { ...current, keyValues: values }
        : undefined,
    );
    if (record === undefined || !isKeyedAlike(valuesOf(record), values))
      throw new PermanentError(`migration ${migration.id} has been moved on by somebody else`);
    return record;
  }

  /**
   * Where nobody lives, nothing of the tenant can be. If something is there, the target may be the source by another way (a
   * replicated table): everything would be found equal, and the purge of the source would delete the only copy.
   */
  async function checkUnused(migration: Migration): Promise<void> {
    const { target } = migration;
    const ranges = movingRanges(parts, valuesOf(migration));
    const empty = await concurrently(ranges, (range) => partKind.isEmpty(range, target));
    const used = new Set(ranges.flatMap(({ part }, at) => (empty[at] ? [] : [part])));
    if (used.size === 0) return;
    throw new PermanentError(
      `realm ${target} holds items of the tenant in ${[...used].join(', ')} before anything was copied there: are its tables replicated from another realm?`,
    );
  }

  /** Safe twice: deletes what is left. Only the data of an earlier, retired residency is here: nothing is copied before it is gone. */
  const clearTargetRange = rangeTask(context, {
    on: 'all',
    workOf: (record) => (record?.cleared ? undefined : 'clear'),
    async how(asked) {
      await inTime(asked.migration);
      return {
        ...emptying(partKind, asked, 'target'),
        check: async () => {
          checkApart(context);
          await checkTarget(asked.run, { mayBeUnclean: true });
        },
      };
    },
  });

  /**
   * Safe twice: puts the same items again, from the last checkpoint on, which follows the page. A range that its verification
   * has found to differ is made equal: what differs is written, what is extra deleted.
   */
  const copyRange = rangeTask(context, {
    on: 'moving',
    workOf(record) {
      if (record?.work === 'verify-copy') return undefined;
      return record?.work === 'repair-target' ? 'repair-target' : 'copy';
    },
    async how({ run, migration, range, work }) {
      const { source, target } = await inTime(migration);
      recordWindow(ports, migration);
      if (!(await isClean(migration))) return undefined;
      const write = work === 'copy' ? partKind.copy : partKind.restore;
      return {
        realm: target,
        sides: [
          {
            side: 'target',
            pages: (horizon, from, until, rateLimit) =>
              write(range, source, target, horizon, from, until, rateLimit),
          },
        ],
        check: () => checkTarget(run, { mayBeUnclean: false }),
      };
    },
  });

  /** Whether the target holds nothing of an earlier residency; the first to find all ranges cleared says so on the record. */
  async function isClean(migration: Migration): Promise<boolean> {
    const { tenant, id, target } = migration;
    const record = await tenants.read(target, tenant);
    if (!record?.unclean) return true;
    const records = await rangeRecords.list(target, migration);
    const cleared = new Set(
      records
        .filter((found) => found.cleared || (found.work === 'clear' && found.done))
        .map(({ range }) => range),
    );
    if (!rangesOf(parts, valuesOf(migration)).every(({ id: range }) => cleared.has(range)))
      return false;
    await tenants.change(target, tenant, (current) => cleaned(current, id));
    return true;
  }

  /** The target is still claimed and clean, the source still fenced, this attempt still wanted, and there is time. */
  async function checkTarget(
    run: RunKey,
    { mayBeUnclean }: { mayBeUnclean: boolean },
  ): Promise<void> {
    const migration = await inTime(await expected(ports, run));
    const { tenant, id, source, target } = migration;
    const [from, to] = await Promise.all([
      tenants.read(source, tenant),
      tenants.read(target, tenant),
    ]);
    if (!isOwnedBy(from, id, 'frozen'))
      throw new PermanentError('the tenant is not fenced in the source');
    if (!isOwnedBy(to, id, 'standby')) throw new PermanentError('the target is not claimed');
    if (to.unclean && !mayBeUnclean)
      throw new PermanentError('the target still holds data of an earlier residency');
  }

  /** Safe twice: the status moves once. What is unfinished goes on in the next attempt, a new execution. */
  async function finishCopy(input: unknown): Promise<void> {
    const run = runKey(input);
    const migration = await inTime(await expected(ports, run));
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

  /** Safe twice: a migration fails once, and is let go as often as asked. */
  async function failMigration(input: unknown): Promise<void> {
    const run = runKey(input);
    const migration = await migrations.read(run);
    if (migration?.status !== 'copying' || migration.attempt !== run.attempt) return;
    const { failure }: { failure?: unknown } = { ...(typeof input === 'object' ? input : {}) };
    const reason = failureIn(failure);
    log.error(`alarm: migration ${migration.id} cannot be copied: ${reason}`, fieldsOf(migration));
    await steps.fail(migration, 'E9999', reason, 'fail-migration');
  }

  async function inTime(migration: Migration): Promise<Migration> {
    if (isNoOp(migration)) throw new PermanentError('a move within one realm has nothing to copy');
    if (isTooLate(migration, clock.now())) {
      throw new PermanentError('the window ends before the copy is verified');
    }
    return migration;
  }

  return { prepareCopy, clearTargetRange, copyRange, finishCopy, failMigration };
}

/** Name of the record whose lease guards the claim on the target; no range of a part is called so. */
const CLAIM = 'claim';

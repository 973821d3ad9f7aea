/**
 * The claim on the target: who may take it, under which lease, and what must not be there. Phases
 * ahead and copy share it.
 */
import { namedValues, type Range, rangesOf, strayRanges } from '../../domain/datasets/dataset.ts';
import { isScannedAtOnce } from '../../domain/datasets/discovery.ts';
import { extended, isKeyedAlike, keyValuesOf } from '../../domain/datasets/key-values.ts';
import {
  isNoOp,
  isTooLate,
  isUndoneSchedule,
  type Migration,
  valuesOf,
} from '../../domain/moving/migration.ts';
import type { Work } from '../../domain/moving/range-record.ts';
import { Fault, PermanentError } from '../../domain/refusal.ts';
import { claim, cleaned } from '../../domain/tenants/fence.ts';
import { isOwnedBy, isStub, type TenantRecord } from '../../domain/tenants/tenant.ts';
import type { AppContext } from '../app-context.ts';
import { tenantKeys } from '../tenant-keys.ts';
import { checkApart, notEmpty } from './deletion.ts';
import { endOfTurn, type Invocation, rangeTurn } from './range-turn.ts';
import { expected, movingRanges, type RunKey } from './task-input.ts';

/** Name of the record whose lease guards the claim; no range of a part is called so. */
const CLAIM = 'claim';
/**
 * Until a phase looks again whether the rollback of another schedule has left the target. Seconds.
 */
const OCCUPIED_SECONDS = 20;

/** How long a step begins to look at further segments: one takes up to 41 s, and a step 60. */
const LOOKING_MS = 15_000;
/** What is written down of a segment that was found empty. */
const FOUND_EMPTY = {
  work: 'copy',
  asOf: 0,
  lastingUntil: 0,
  tries: 0,
  done: true,
} as const;

/** The proof that the target is empty goes on in the next step. */
class StillLooking extends Fault {
  constructor() {
    super('the target is not yet proven to be empty');
  }
}

export function targetClaim(context: AppContext) {
  const { ports, settings } = context;
  const { tenants, rangeRecords, migrations, partKind, clock } = ports;
  const { parts } = settings;
  const keys = tenantKeys(context);

  /**
   * Runs `take` under the lease on the claim; the seconds to wait before the phase asks again, 0
   * when the target is claimed. Another invocation may be claiming it, or have died of it (its
   * lease runs out); or what another schedule had copied ahead is still being discarded there (rule
   * 19).
   */
  async function leasedClaim(
    migration: Migration,
    work: Work,
    invocation: Invocation,
    take: () => Promise<void>,
  ): Promise<number> {
    if (await isOccupied(migration)) return OCCUPIED_SECONDS;
    try {
      return await claimTurn(migration, work, invocation, take);
    } catch (error) {
      if (error instanceof StillLooking) return 1;
      throw error;
    }
  }

  async function claimTurn(
    migration: Migration,
    work: Work,
    invocation: Invocation,
    take: () => Promise<void>,
  ): Promise<number> {
    const turn = await rangeTurn(
      ports,
      {
        migration,
        range: CLAIM,
        work,
        realm: migration.target,
        sides: [],
        check: take,
        // Never done: each attempt looks again.
        conclude: async () => 'again',
        turn: 1,
        until: endOfTurn(clock.now(), invocation),
        rateLimit: undefined,
      },
      invocation,
    );
    return turn.waitSeconds;
  }

  /**
   * `from` is the source's record as it has to be for this. Throws `PermanentError` where the
   * target is not to be had.
   */
  async function claimTarget(migration: Migration, from: TenantRecord): Promise<void> {
    checkApart(context);
    const { tenant, id, source, target } = migration;
    const there = await tenants.read(target, tenant);
    const keyed = await withKeys(migration, there?.state === 'retired' ? [from, there] : [from]);
    if (there === undefined || isStub(there)) await checkUnused(keyed);
    const { record } = await tenants.change(target, tenant, (current) =>
      claim(current, from, id, source),
    );
    // Not for good: it is over in a while, and then there is nothing here.
    if (record?.state === 'purging')
      throw new Fault(`the data of an earlier residency is being purged in realm ${target}`);
    if (isOwnedBy(record, id, 'standby')) return;
    if (await isOccupied(migration))
      throw new Fault(`what was copied ahead for another schedule is discarded in realm ${target}`);
    throw new PermanentError(`realm ${target} has a record of the tenant that is ${record?.state}`);
  }

  /**
   * Whether the target is held by a schedule that never started, and that is being undone or is no
   * longer there.
   */
  async function isOccupied({ tenant, id, target }: Migration): Promise<boolean> {
    const record = await tenants.read(target, tenant);
    const { migration: holder, ledger: home } = record ?? {};
    if (holder === undefined || home === undefined || holder === id) return false;
    if (!isOwnedBy(record, holder, 'standby', 'withdrawn')) return false;
    const other = await migrations.read({ ledger: home, tenant, id: holder });
    return other !== undefined && isUndoneSchedule(other);
  }

  /**
   * Fixes what the tenant's keys are made of. It adds what was learned since the schedule, and the
   * values of a retired tenant in the target, whose items are purged first. Each attempt of phase
   * copy fixes them again, behind the fence, because the copy ends only when no key is missing.
   */
  async function withKeys(
    migration: Migration,
    records: readonly TenantRecord[],
  ): Promise<Migration> {
    const { id, source, target, status, phase, attempt } = migration;
    const known = valuesOf(migration);
    const learned = records.map((record) => namedValues(parts, keyValuesOf(record)));
    const values = learned.reduce(extended, known);
    if (learned.some((later) => strayRanges(parts, values, later).length > 0))
      throw new PermanentError(
        'what the keys of the tenant are made of has changed since it was scheduled',
      );
    const reason = await keys.obstacle(values, [source, target]);
    if (reason !== undefined) throw new PermanentError(`its items cannot be moved: ${reason}`);
    if (isKeyedAlike(known, values)) return migration;
    const { record } = await migrations.change(migration, `prepare-${phase}`, (current) =>
      current?.status === status && current.phase === phase && current.attempt === attempt
        ? { ...current, keyValues: values }
        : undefined,
    );
    if (record === undefined || !isKeyedAlike(valuesOf(record), values))
      throw new PermanentError(`migration ${id} has been moved on by somebody else`);
    return record;
  }

  /**
   * A realm that does not serve the tenant cannot hold its items. If it does, the target may be the
   * source by another way (a replicated table): everything would be found equal, and the purge of
   * the source would delete the only copy.
   */
  async function checkUnused(migration: Migration): Promise<void> {
    const { target } = migration;
    const ranges = movingRanges(parts, valuesOf(migration));
    const left = new Set([
      ...(await notEmpty(context, ranges, target)),
      ...(await segmentsInUse(migration, ranges)),
    ]);
    const used = new Set(ranges.flatMap(({ id, part }) => (left.has(id) ? [part] : [])));
    if (used.size === 0) return;
    throw new PermanentError(
      `realm ${target} holds items of the tenant in ${[...used].join(', ')} before anything was copied there: are its tables replicated from another realm?`,
    );
  }

  /**
   * The first of the segments of large tables that is in use. Looks at one after the other, as many
   * as fit into this step, and writes down which are empty: the next step goes on there. Nothing
   * writes there meanwhile, because the target has no record of the tenant. Throws `StillLooking`
   * where segments are left.
   */
  async function segmentsInUse(
    migration: Migration,
    ranges: readonly Range[],
  ): Promise<readonly string[]> {
    const large = parts.filter(({ discover }) => !isScannedAtOnce(discover));
    if (large.length === 0) return [];
    const { target } = migration;
    const until = clock.now() + LOOKING_MS;
    let looked = 0;
    for (const { id, ...range } of ranges) {
      if (!large.some(({ name }) => name === range.part)) continue;
      const name = `${CLAIM}/${id}`;
      const stored = await rangeRecords.read(target, migration, name);
      if (stored?.done) continue;
      if (looked > 0 && clock.now() >= until) throw new StillLooking();
      looked += 1;
      if (!(await partKind.isEmpty({ id, ...range }, target))) return [id];
      const found = { ...FOUND_EMPTY, range: name, revision: stored?.revision ?? 0 };
      await rangeRecords.put(target, migration, found);
    }
    return [];
  }

  /**
   * Whether the target holds nothing of an earlier residency; the first to find all ranges cleared
   * says so on the record.
   */
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

  /**
   * Asked before every page that is written to the target: the attempt is still wanted, there is
   * time, the target is claimed, and the source is what it has to be: fenced by this migration in
   * phase copy, serving in phase ahead. Throws `PermanentError` otherwise.
   */
  async function checkTarget(
    run: RunKey,
    { mayBeUnclean }: { mayBeUnclean: boolean },
  ): Promise<void> {
    checkApart(context);
    const migration = inTime(await expected(ports, run));
    const { tenant, id, source, target } = migration;
    const [from, to] = await Promise.all([
      tenants.read(source, tenant),
      tenants.read(target, tenant),
    ]);
    if (run.phase === 'ahead') checkServing(from, id);
    else if (!isOwnedBy(from, id, 'frozen'))
      throw new PermanentError('the tenant is not fenced in the source');
    if (!isOwnedBy(to, id, 'standby')) throw new PermanentError('the target is not claimed');
    if (to.unclean && !mayBeUnclean)
      throw new PermanentError('the target still holds data of an earlier residency');
  }

  /** Throws `PermanentError` where nothing is to be copied, or not any more. */
  function inTime(migration: Migration): Migration {
    if (isNoOp(migration)) throw new PermanentError('a move within one realm has nothing to copy');
    if (isTooLate(migration, clock.now()))
      throw new PermanentError('the window ends before the copy is verified');
    return migration;
  }

  return { leasedClaim, claimTarget, isClean, checkTarget, inTime };
}

/** What phase ahead demands of the source: it serves, and has not let this migration go. */
export function checkServing(
  from: TenantRecord | undefined,
  id: string,
): asserts from is TenantRecord {
  if (from?.state !== 'active' || from.released?.includes(id))
    throw new PermanentError(`the tenant is ${from?.state ?? 'not installed'} in the source`);
}

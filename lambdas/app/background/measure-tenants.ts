/**
 * Counts tenants before their window, so that a window that is too short is known before it begins.
 */

import { type KnownSize, type Measurement, wholeOf } from '../../domain/datasets/size.ts';
import { isNoOp, type Migration, valuesOf } from '../../domain/moving/migration.ts';
import { estimateOf, misfit } from '../../domain/planning/window-fit.ts';
import { DAY_MS, MINUTE_MS } from '../../domain/time.ts';
import type { AppContext } from '../app-context.ts';
import { knownSize, mayCopyAhead } from '../known-size.ts';
import { lookForObstacles } from '../obstacles.ts';
import type { Invocation } from '../phases/range-turn.ts';
import { movingRanges } from '../phases/task-input.ts';
import { fieldsOf } from '../steps.ts';

/** A size older than this is counted again while its move is scheduled … */
const FRESH = 7 * DAY_MS;
/** … and once more when the window is this near, because `start` may refuse by it. */
const SHORTLY_BEFORE = 45 * MINUTE_MS;
/** A count that was begun longer ago than this, and not finished, begins again. */
const LONGEST_COUNT = DAY_MS;
/** Time for the last page and its record. */
const RESERVE = 10_000;

export function measureTenants(context: AppContext) {
  const { ports, settings } = context;
  const { migrations, measurements, partKind, clock, log } = ports;
  const { realm: here, parts, drainSeconds } = settings;

  /** One turn. Safe twice: each counted range is recorded, and the next turn goes on from there. */
  async function run(invocation: Invocation): Promise<void> {
    const until = invocation.deadline - RESERVE;
    for (const migration of await migrations.open(here)) {
      const since = neededSince(migration, clock.now());
      if (since === undefined) continue;
      if (clock.now() >= until) return;
      try {
        await measure(migration, since, until);
      } catch (error) {
        log.warn(
          `the tenant of migration ${migration.id} cannot be measured: ${error instanceof Error ? error.message : 'unknown error'}`,
          fieldsOf(migration),
        );
      }
    }
  }

  async function measure(migration: Migration, since: number, until: number): Promise<void> {
    const { tenant, estimate } = migration;
    const freshSize = async () => {
      const known = await knownSize(context, tenant);
      return known && Date.parse(known.at) >= since ? known : undefined;
    };
    const known = await freshSize();
    if (known === undefined) await countOn(migration, since, until);
    const counted = known ?? (await freshSize());
    if (counted && estimate?.at !== counted.at) await noteEstimate(migration, counted);
    if (migration.status === 'scheduled') await lookOn(migration, since, until);
  }

  async function countOn(migration: Migration, since: number, until: number): Promise<void> {
    const { tenant } = migration;
    let measurement = await begun(tenant, since);
    for (const range of movingRanges(parts, valuesOf(migration))) {
      const sofar = measurement.ranges[range.id];
      if (sofar?.complete) continue;
      const size = await partKind.size(range, here, until, sofar);
      measurement = { ...measurement, ranges: { ...measurement.ranges, [range.id]: size } };
      await measurements.write(here, tenant, measurement);
      if (!size.complete || clock.now() >= until) return;
    }
    await measurements.write(here, tenant, {
      ...measurement,
      finishedAt: new Date(clock.now()).toISOString(),
    });
  }

  /** Alarms once for each look: a move that is scheduled could not be done. */
  async function lookOn(migration: Migration, since: number, until: number): Promise<void> {
    const { id, tenant } = migration;
    const before = (await measurements.read(here, tenant))?.obstacles;
    const found = await lookForObstacles(context, valuesOf(migration), since, until);
    const isNew = found?.at !== before?.at || found?.complete !== before?.complete;
    if (found?.complete && isNew && found.says.length > 0)
      log.error(
        `alarm: migration ${id} cannot be done: ${found.says.join('; ')}`,
        fieldsOf(migration),
      );
  }

  async function begun(tenant: string, since: number): Promise<Measurement> {
    const stored = await measurements.read(here, tenant);
    const isUnderWay =
      stored !== undefined &&
      stored.finishedAt === undefined &&
      Date.parse(stored.begunAt) >= Math.max(since, clock.now() - LONGEST_COUNT);
    return isUnderWay ? stored : { begunAt: new Date(clock.now()).toISOString(), ranges: {} };
  }

  async function noteEstimate(migration: Migration, size: KnownSize): Promise<void> {
    const { seconds, limit } = estimateOf(size, parts);
    const estimate = { at: size.at, ...wholeOf(size), seconds: Math.ceil(seconds), limit };
    await migrations.change(migration, 'measure', (current) =>
      current?.status === migration.status && current.estimate?.at !== size.at
        ? { ...current, estimate }
        : undefined,
    );
    const { facts, status } = migration;
    const reason =
      status === 'scheduled' &&
      facts &&
      misfit(
        size,
        parts,
        facts,
        drainSeconds,
        clock.now(),
        migration.ahead !== undefined || mayCopyAhead(context, size, facts, clock.now()),
      );
    if (reason)
      log.error(
        `alarm: migration ${migration.id} cannot be done in its window: ${reason}`,
        fieldsOf(migration),
      );
  }

  return run;
}

/**
 * Epoch milliseconds since which a count is needed; `undefined` where none is. The items of a copy
 * that seems too slow are counted again behind the fence, where they no longer change: an older
 * count must not give the copy up.
 */
function neededSince(migration: Migration, now: number): number | undefined {
  const { status, facts, scheduledAt, startedAt, projection } = migration;
  if (isNoOp(migration) || facts === undefined) return undefined;
  if (status === 'copying') {
    const isInDoubt = startedAt !== undefined && projection !== undefined && projection.beyond > 0;
    return isInDoubt ? Date.parse(startedAt) : undefined;
  }
  if (status !== 'scheduled') return undefined;
  const shortlyBefore = Date.parse(facts.startTime) - SHORTLY_BEFORE;
  const isNear = now >= shortlyBefore;
  return Math.max(now - FRESH, Date.parse(scheduledAt), isNear ? shortlyBefore : 0);
}

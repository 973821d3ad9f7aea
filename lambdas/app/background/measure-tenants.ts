/** Counts tenants that are about to move, ahead of their window, so that a window that cannot suffice is known before it begins. */

import { type KnownSize, type Measurement, wholeOf } from '../../domain/datasets/size.ts';
import { isNoOp, type Migration } from '../../domain/moving/migration.ts';
import { estimateOf, misfit } from '../../domain/planning/window-fit.ts';
import type { Realm } from '../../domain/realm.ts';
import { isYoungerThan, knownSize } from '../known-size.ts';
import type { Invocation } from '../phases/range-turn.ts';
import type { TaskContext } from '../phases/task-context.ts';
import { movingRanges } from '../phases/task-input.ts';
import { fieldsOf } from '../steps.ts';

const DAY = 86_400_000;
/** A size as old as this is counted anew before a move. */
const FRESH_DAYS = 7;
/** A count that was begun longer ago than this, and not finished, begins again. */
const LONGEST_COUNT = DAY;
/** The last page, and the record of it, still fit in. */
const RESERVE = 10_000;

export function measuring({ ports, settings }: TaskContext, here: Realm) {
  const { ledger, partKind, clock, log } = ports;
  const { parts, drainSeconds } = settings;

  /** One turn. Safe twice: what is counted is recorded range by range, and goes on from there. */
  async function run(invocation: Invocation): Promise<void> {
    const until = invocation.deadline - RESERVE;
    for (const migration of await ledger.open(here)) {
      if (migration.status !== 'scheduled' || isNoOp(migration)) continue;
      if (clock.now() >= until) return;
      try {
        await measure(migration, until);
      } catch (error) {
        log.warn(
          `the tenant of migration ${migration.id} cannot be measured: ${error instanceof Error ? error.message : 'unknown error'}`,
          fieldsOf(migration),
        );
      }
    }
  }

  async function measure(migration: Migration, until: number): Promise<void> {
    const { tenant, estimate } = migration;
    const known = await knownSize(ports, here, tenant);
    if (known && isYoungerThan(FRESH_DAYS, known, clock.now())) {
      if (estimate?.at !== known.at) await noteEstimate(migration, known);
      return;
    }
    await countOn(tenant, until);
    const counted = await knownSize(ports, here, tenant);
    if (counted && isYoungerThan(FRESH_DAYS, counted, clock.now()))
      await noteEstimate(migration, counted);
  }

  async function countOn(tenant: string, until: number): Promise<void> {
    let measurement = await begun(tenant);
    for (const range of movingRanges(parts, tenant)) {
      const sofar = measurement.ranges[range.id];
      if (sofar?.complete) continue;
      const size = await partKind.size(range, here, until, sofar);
      measurement = { ...measurement, ranges: { ...measurement.ranges, [range.id]: size } };
      await ledger.writeMeasurement(here, tenant, measurement);
      if (!size.complete || clock.now() >= until) return;
    }
    await ledger.writeMeasurement(here, tenant, {
      ...measurement,
      finishedAt: new Date(clock.now()).toISOString(),
    });
  }

  async function begun(tenant: string): Promise<Measurement> {
    const stored = await ledger.readMeasurement(here, tenant);
    const isUnderWay =
      stored !== undefined &&
      stored.finishedAt === undefined &&
      clock.now() - Date.parse(stored.begunAt) < LONGEST_COUNT;
    return isUnderWay ? stored : { begunAt: new Date(clock.now()).toISOString(), ranges: {} };
  }

  async function noteEstimate(migration: Migration, size: KnownSize): Promise<void> {
    const { seconds, limit } = estimateOf(size, parts);
    const estimate = { at: size.at, ...wholeOf(size), seconds: Math.ceil(seconds), limit };
    await ledger.change(migration, 'measure', (current) =>
      current?.status === 'scheduled' && current.estimate?.at !== size.at
        ? { ...current, estimate }
        : undefined,
    );
    const { facts } = migration;
    const reason = facts && misfit(size, parts, facts, drainSeconds, clock.now());
    if (reason)
      log.error(
        `alarm: migration ${migration.id} cannot be done in its window: ${reason}`,
        fieldsOf(migration),
      );
  }

  return { run };
}

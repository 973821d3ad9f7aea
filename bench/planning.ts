/** Compares the planner's forecasts with measurements: each must be within a quarter. */
import { defined } from '../lambdas/domain/defined.ts';
import { type Estimate, estimate, WARM_UP_SECONDS } from '../lambdas/domain/planning/estimate.ts';
import { atMost, type Bar, median } from './bars.ts';
import type { Run } from './bench.ts';
import type { World } from './measure.ts';
import { SHARDS } from './variants/job.ts';

export interface Forecast {
  readonly what: string;
  readonly measured: number;
  readonly estimated: number;
}

/**
 * Seconds of CPU per item in each run without latency, without the time in which a new process
 * compiles its code.
 */
export const marginalCpu = (runs: readonly Run[]): readonly number[] =>
  runs
    .filter(({ variant, world }) => variant === 'ours' && world.source.base === 0)
    .map(({ cpuSeconds, items }) => (cpuSeconds - WARM_UP_SECONDS) / items);

/**
 * Forecasts of all our copies and verifications; repeated runs count by their median. `cpuMs` is
 * this machine's, from the runs without latency.
 */
export function forecasts(runs: readonly Run[], cpuMs: number): readonly Forecast[] {
  const found = runs
    .filter(
      ({ variant, work, nodeOptions }) =>
        variant === 'ours' && (work === 'copy' || work === 'verify') && nodeOptions === undefined,
    )
    .filter(({ world, resumed }) => world.source.base > 0 && world.items >= 2_000 && !resumed)
    // One process is not the 16 workers that the planner counts with.
    .filter(({ world }) => world.part !== 'sixteen')
    // What was copied ahead is not written again: `ofFence` has its forecast.
    .filter(({ work, world }) => work === 'verify' || world.changedEvery === undefined)
    .map(({ work, world, items, seconds }) => {
      const planned = plannedIn(world, items, cpuMs);
      const isCopy = work === 'copy';
      const where = world.source.base < world.target.base ? 'S1' : 'S2';
      return {
        what: `${where}, ${items} items, ${isCopy ? planned.limit : 'verification'}`,
        measured: seconds,
        estimated: isCopy ? planned.copySeconds : planned.verifySeconds,
      };
    });
  return [...Map.groupBy(found, ({ what, estimated }) => `${what}, ${estimated}`).values()].flatMap(
    (same) =>
      same
        .slice(0, 1)
        .map((one) => ({ ...one, measured: median(same.map(({ measured }) => measured)) })),
  );
}

/** The planner's estimate of a move in this world, by one process on all ranges. */
export function plannedIn(world: World, items: number, cpuMs?: number): Estimate {
  const { source, target, caps, part, itemBytes } = world;
  return estimate(items, items * itemBytes, [{ shards: SHARDS[part] }], {
    sourceMs: source.base,
    targetMs: target.base,
    partitionUnits: caps?.partition ?? Number.POSITIVE_INFINITY,
    partitionReads: caps?.reads ?? Number.POSITIVE_INFINITY,
    tableUnits: caps?.table ?? Number.POSITIVE_INFINITY,
    concurrency: 1,
    ...defined({ cpuMs }),
  });
}

export function planning(found: readonly Forecast[]): readonly Bar[] {
  const errors = found.map(({ measured, estimated }) => Math.abs(estimated / measured - 1));
  return [
    atMost(
      'planner',
      'largest error of a forecast',
      Math.max(...errors),
      0.25,
      '%',
      `${found.length} copies and verifications`,
    ),
  ];
}

/**
 * The fence with and without copying ahead, all tables capped: copy and verification of everything,
 * against making the target equal and its verification.
 */
import { defined } from '../../lambdas/domain/defined.ts';
import { fenceAfterAhead } from '../../lambdas/domain/planning/window-fit.ts';
import { atMost, type Bar, medianOf } from '../bars.ts';
import type { Bench } from '../bench.ts';
import { partitionsOf, type World } from '../measure.ts';
import { plannedIn } from '../planning.ts';
import { AWS_CAPS } from '../stub/capacity.ts';
import { S2, world } from '../worlds.ts';

/** One process does the work of 16 here: each key has a sixteenth of AWS's caps, too. */
const WORKERS = 16;
const SIXTEENTH = { partition: AWS_CAPS.partition / WORKERS, reads: AWS_CAPS.reads / WORKERS };

/** The limits of the fence at 1 % and at 10 % changed items, of one without. */
interface Most {
  readonly one: number;
  readonly ten: number;
}

export async function ahead(bench: Bench): Promise<readonly Bar[]> {
  const key = world(S2, bench.sizes.ahead, { caps: AWS_CAPS });
  return fences(bench, key, 'one key', { one: 0.15, ten: 0.25 });
}

export async function aheadOfShards(bench: Bench): Promise<readonly Bar[]> {
  const shards = world(S2, bench.sizes.aheadShard, { part: 'sixteen', caps: SIXTEENTH });
  return fences(bench, shards, '16 keys, a sixteenth of the caps', { one: 0.35, ten: 0.4 });
}

async function fences(
  { runs, rounds }: Bench,
  where: World,
  keys: string,
  most: Most,
): Promise<readonly Bar[]> {
  const fence = async (changedEvery?: number) => {
    const [copy, verify] = await runs({ ...where, ...defined({ changedEvery }) }, [
      ['ours', 'copy'],
      ['ours', 'verify'],
    ]);
    const changed = Math.ceil(copy.items / (changedEvery ?? 1));
    return { seconds: copy.seconds + verify.seconds, units: copy.target.wcu / changed };
  };
  const found = await rounds(async () => ({
    all: await fence(),
    one: await fence(100),
    ten: await fence(10),
  }));
  const planned = plannedIn(where, where.items * partitionsOf(where.part).length);
  const errorOf = (forecast: number, measured: number) => Math.abs(forecast / measured - 1);
  return [
    atMost(
      'ahead',
      `${keys}: error of the fence's forecast, without and with`,
      Math.max(
        errorOf(
          planned.seconds,
          medianOf(found, ({ all }) => all.seconds),
        ),
        errorOf(
          fenceAfterAhead(planned),
          medianOf(found, ({ one }) => one.seconds),
        ),
      ),
      0.25,
      '%',
      `${planned.seconds.toFixed(1)} s and ${fenceAfterAhead(planned).toFixed(1)} s`,
    ),
    atMost(
      'ahead',
      `${keys}: fence at 1 % changed, of one without`,
      medianOf(found, ({ all, one }) => one.seconds / all.seconds),
      most.one,
    ),
    atMost(
      'ahead',
      `${keys}: fence at 10 % changed, of one without`,
      medianOf(found, ({ all, ten }) => ten.seconds / all.seconds),
      most.ten,
    ),
    atMost(
      'ahead',
      `${keys}: write units per changed item`,
      medianOf(found, ({ one, ten }) => Math.max(one.units, ten.units)),
      1.05,
    ),
  ];
}

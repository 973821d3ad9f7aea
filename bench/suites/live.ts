/** The live app in the source, alone and while the tenant is copied ahead at the default limit. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { atMost, type Bar, medianOf } from '../bars.ts';
import type { Bench } from '../bench.ts';
import type { LiveJob, LiveOutcome } from '../live-app.ts';
import { tableIn } from '../measure.ts';
import { AWS_CAPS } from '../stub/capacity.ts';
import { SOURCE, TENANT } from '../variants/job.ts';
import { S1, world } from '../worlds.ts';

/** Items a second that phase ahead copies where nothing else is said. */
const AHEAD_RATE = 250;

export async function live({ sizes, alone, beside, rounds }: Bench): Promise<readonly Bar[]> {
  const where = world(S1, sizes.liveSeconds * AHEAD_RATE, { caps: AWS_CAPS });
  const app = (url: string) =>
    liveApp({
      endpoint: url,
      region: SOURCE.region,
      table: tableIn(SOURCE.realm, where.part),
      partition: TENANT,
      items: where.items,
      seconds: sizes.liveSeconds,
    });
  const found = await rounds(async () => ({
    alone: await alone(where, app),
    beside: await beside(where, 'ours', 'ahead', app),
  }));
  const p99 = medianOf(found, (round) => round.beside.p99);
  return [
    atMost(
      'ahead',
      'p99 of the live app while it is copied ahead, of p99 alone',
      medianOf(found, (round) => round.beside.p99 / round.alone.p99),
      1.2,
      '×',
      `${p99.toFixed(0)} ms, at two thirds of its key's reads`,
    ),
  ];
}

async function liveApp(job: LiveJob): Promise<LiveOutcome> {
  const child = fork(new URL('../live-app.ts', import.meta.url));
  const answer = once(child, 'message');
  const ended = once(child, 'exit');
  child.send(job);
  const [outcome] = await Promise.race([
    answer,
    ended.then(() => Promise.reject(new Error('the live app ended before it had measured'))),
  ]);
  await ended;
  return outcome;
}

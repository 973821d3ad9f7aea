/**
 * The live app in the source while its tenant is copied ahead at the default limit, and while
 * another tenant is: the machine bears the same, and only the partition key is another.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { atMost, type Bar, medianOf, rate } from '../bars.ts';
import type { Bench } from '../bench.ts';
import type { LiveJob, LiveOutcome } from '../live-app.ts';
import { NEIGHBOUR, tableIn } from '../measure.ts';
import { AWS_CAPS } from '../stub/capacity.ts';
import { SOURCE, TENANT } from '../variants/job.ts';
import { S1, world } from '../worlds.ts';

/** Items a second that phase ahead copies where nothing else is said. */
const AHEAD_RATE = 250;

export async function live({ sizes, run, beside, rounds }: Bench): Promise<readonly Bar[]> {
  const where = world(S1, sizes.liveSeconds * AHEAD_RATE, { caps: AWS_CAPS, hasNeighbour: true });
  const app = (partition: string) => (url: string) =>
    liveApp({
      endpoint: url,
      region: SOURCE.region,
      table: tableIn(SOURCE.realm, where.part),
      partition,
      items: where.items,
      seconds: sizes.liveSeconds,
    });
  const found = await rounds(async () => ({
    other: await beside(where, 'ours', 'ahead', app(NEIGHBOUR)),
    own: await beside(where, 'ours', 'ahead', app(TENANT)),
  }));
  const copied = await run('ours', 'ahead', world(S1, where.items, { caps: AWS_CAPS }));
  const p99 = medianOf(found, ({ own }) => own.p99);
  return [
    atMost(
      'ahead',
      'items a second that are copied ahead, of the default limit',
      rate(copied) / AHEAD_RATE,
      1.05,
      '×',
      `${((100 * copied.source.rcu) / copied.seconds / AWS_CAPS.reads).toFixed(1)} % of its key's reads`,
    ),
    atMost(
      'ahead',
      'p99 of the live app while its tenant is copied ahead, of p99 while another is',
      medianOf(found, ({ own, other }) => own.p99 / other.p99),
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

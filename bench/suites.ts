/**
 * The suites: which variants run in which worlds, and the bars for their results. A ratio always
 * compares two runs of the same round.
 */

import { BATCH, MOST_IN_FLIGHT } from '../lambdas/adapters/dataset/adaptive-rate.ts';
import { atLeast, atMost, type Bar, cpuPerItem, medianOf, noBar, rate } from './bars.ts';
import type { Bench } from './bench.ts';
import { AWS_CAPS } from './stub/capacity.ts';
import { S0, S1, S2, world } from './worlds.ts';

/** Copies without caps: from beside the source, and as we deploy. */
export async function uncapped({
  sizes,
  run,
  runs,
  rounds,
  hasRival,
}: Bench): Promise<readonly Bar[]> {
  const found = await rounds(async () => {
    const [s1, s2] = [world(S1, sizes.uncapped), world(S2, sizes.uncapped)];
    const rivals = async (where: typeof S1) =>
      hasRival ? rate(await run('npm-copy', 'copy', world(where, sizes.loop))) : Number.NaN;
    return {
      ours1: rate(await run('ours', 'copy', s1)),
      naive: rate(await run('naive', 'copy', world(S1, sizes.loop))),
      npm1: await rivals(S1),
      pages: rate(await run('page-wise', 'copy', world(S1, sizes.pageWise))),
      both: await runs(s2, [
        ['ours', 'copy'],
        ['ours', 'verify'],
      ]),
      npm2: await rivals(S2),
    };
  });
  const group = 'no cap';
  const verifyTime = medianOf(found, ({ both: [copy, verify] }) => verify.seconds / copy.seconds);
  const atCap = medianOf(found, ({ both: [, verify] }) => verify.seconds / (verify.items / 1000));
  const readOnce = medianOf(
    found,
    ({ both: [copy, verify] }) => (verify.source.rcu + verify.target.rcu) / 2 / copy.source.rcu,
  );
  return [
    atLeast(
      group,
      'S1: ours against the naive loop',
      medianOf(found, (round) => round.ours1 / round.naive),
      40,
    ),
    ...(hasRival
      ? [
          atLeast(
            group,
            'S1: ours against copy-dynamodb-table',
            medianOf(found, (round) => round.ours1 / round.npm1),
            40,
          ),
        ]
      : []),
    atLeast(
      group,
      'S1: ours against Promise.all per page',
      medianOf(found, (round) => round.ours1 / round.pages),
      1.8,
    ),
    ...(hasRival
      ? [
          atLeast(
            group,
            'S2: ours against copy-dynamodb-table',
            medianOf(found, (round) => rate(round.both[0]) / round.npm2),
            30,
          ),
        ]
      : []),
    atMost('verify', 'time, of an uncapped copy (S2)', verifyTime, 0.9),
    atMost('verify', 'time, of a copy at 1000/s (S2)', atCap, 0.1, '%'),
    atMost(
      'verify',
      'read units, of both sides read once',
      readOnce,
      1.005,
      '×',
      'the first look at the back end takes a unit',
    ),
  ];
}

/** Caps that the copier is not told about; the tables' buckets are empty when it begins. */
export async function capped({ sizes, run, runs, rounds }: Bench): Promise<readonly Bar[]> {
  const found = await rounds(async () => {
    const four = { part: 'four', caps: AWS_CAPS } as const;
    return {
      slow: await run('ours', 'copy', world(S2, sizes.cap1000, { caps: AWS_CAPS })),
      fast: await run('ours', 'copy', world(S2, sizes.cap4000, { caps: { table: 4000 } })),
      ranges: await runs(world(S2, sizes.perPartition, four), [
        ['ours', 'copy'],
        ['ours', 'discard'],
      ]),
      pages: await run('page-wise', 'copy', world(S2, sizes.pageWise, { caps: { table: 4000 } })),
    };
  });
  const resent = (one: { targetBatches: { refused: number }; items: number }) =>
    one.targetBatches.refused / one.items;
  return [
    atLeast(
      'cap',
      '1000/s: share of the cap',
      medianOf(found, ({ slow }) => rate(slow) / 1000),
      0.96,
      '%',
    ),
    atMost(
      'cap',
      '1000/s: items sent again',
      medianOf(found, ({ slow }) => resent(slow)),
      0.1,
      '%',
    ),
    atLeast(
      'cap',
      '4000/s: share of the cap',
      medianOf(found, ({ fast }) => rate(fast) / 4000),
      0.96,
      '%',
    ),
    atMost(
      'cap',
      '4000/s: items sent again',
      medianOf(found, ({ fast }) => resent(fast)),
      0.1,
      '%',
    ),
    noBar(
      'cap',
      'Promise.all per page at 4000/s, for comparison',
      medianOf(found, ({ pages }) => rate(pages) / 4000),
      '%',
    ),
    atLeast(
      'partitions',
      '4 × 1000/s: share of the sum',
      medianOf(found, ({ ranges: [copy] }) => rate(copy) / 4000),
      0.85,
      '%',
    ),
    atLeast(
      'partitions',
      '4 × 1000/s against one range',
      medianOf(found, ({ ranges: [copy], slow }) => rate(copy) / rate(slow)),
      3,
    ),
    atLeast(
      'purge',
      '4 × 1000/s: share of the sum',
      medianOf(found, ({ ranges: [, discard] }) => rate(discard) / 4000),
      0.95,
      '%',
    ),
  ];
}

export async function cpu({ sizes, run, rounds }: Bench): Promise<readonly Bar[]> {
  const found = await rounds(async () => ({
    ours: cpuPerItem(await run('ours', 'copy', world(S0, sizes.cpu))),
    documents: cpuPerItem(await run('document-client', 'copy', world(S0, sizes.cpu))),
  }));
  const micros = medianOf(found, ({ ours }) => ours * 1e6).toFixed(0);
  return [
    atMost(
      'CPU',
      'per item, of the document-client loop',
      medianOf(found, ({ ours, documents }) => ours / documents),
      0.7,
      '×',
      `${micros} µs an item, of ${sizes.cpu}; stretch 0.50×`,
    ),
  ];
}

/** Ten times the items: the same memory, the same speed, ten times the requests. */
export async function growth({ sizes, run }: Bench): Promise<readonly Bar[]> {
  const small = await run('ours', 'copy', world(S1, sizes.small));
  const large = await run('ours', 'copy', world(S1, sizes.large));
  const tight = await run('ours', 'copy', world(S1, sizes.large), {
    nodeOptions: ['--max-old-space-size=64'],
  });
  const predicted = large.items / 25 + Math.ceil(large.source.rcu / 256);
  return [
    atMost(
      'growth',
      `memory at ${sizes.large}, of ${sizes.small}`,
      large.peakRss / small.peakRss,
      1.3,
      '×',
      `${(large.peakRss / 1e6).toFixed(0)} MB`,
    ),
    atLeast(
      'growth',
      `${sizes.large} items within 64 MB of heap`,
      tight.equal / tight.items,
      1,
      '%',
    ),
    atLeast(
      'growth',
      `items/s at ${sizes.large}, of ${sizes.small}`,
      rate(large) / rate(small),
      0.95,
    ),
    atMost('growth', 'write units per item', large.target.wcu / large.items, 1),
    atMost(
      'growth',
      'requests, of the predicted',
      (large.source.requests + large.target.requests) / predicted,
      1.01,
    ),
  ];
}

/** Discards a target in another region, beside the loops that would do it. */
export async function deleting({ sizes, runs, rounds }: Bench): Promise<readonly Bar[]> {
  const found = await rounds(async () => ({
    ours: (
      await runs(world(S1, sizes.deleted), [
        ['ours', 'copy'],
        ['ours', 'discard'],
      ])
    )[1],
    one: (
      await runs(world(S1, sizes.deleteLoop), [
        ['ours', 'copy'],
        ['delete-loop', 'discard'],
      ])
    )[1],
    batches: (
      await runs(world(S1, sizes.loop), [
        ['ours', 'copy'],
        ['naive', 'discard'],
      ])
    )[1],
  }));
  return [
    atLeast(
      'purge',
      'discard against a loop of DeleteItem',
      medianOf(found, ({ ours, one }) => rate(ours) / rate(one)),
      40,
    ),
    atLeast(
      'purge',
      'discard against a loop of batches',
      medianOf(found, ({ ours, batches }) => rate(ours) / rate(batches)),
      40,
    ),
  ];
}

/** Items of the bench in 1 MB. */
const PAGE = 1_049;

/**
 * Killed in the middle and started anew: beside the source, where recording takes longest, and as
 * we deploy.
 */
export async function resuming({ sizes, killed, rounds }: Bench): Promise<readonly Bar[]> {
  let round = 0;
  const found = await rounds(async () => {
    const at = sizes.killed * (0.35 + 0.17 * round);
    round += 1;
    const [near, far] = [
      await killed(world(S2, sizes.killed), at),
      await killed(world(S1, sizes.killed), at),
    ];
    return Math.max(near.rewritten, far.rewritten);
  });
  const allowed = MOST_IN_FLIGHT * BATCH + PAGE;
  return [
    atMost(
      'resume',
      'items written twice',
      Math.max(...found),
      allowed,
      '',
      `one window of ${MOST_IN_FLIGHT} batches and one page`,
    ),
  ];
}

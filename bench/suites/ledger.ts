/**
 * What a move asks of the ledger, whose range records of one tenant share a partition key, and
 * whether the ledger's caps slow it down.
 */
import { defined } from '../../lambdas/domain/defined.ts';
import { atLeast, atMost, type Bar, medianOf, rate } from '../bars.ts';
import type { Bench } from '../bench.ts';
import type { Measurement } from '../measure.ts';
import { AWS_CAPS } from '../stub/capacity.ts';
import { S2, world } from '../worlds.ts';

const WORKS = [
  ['ours', 'copy'],
  ['ours', 'verify'],
  ['ours', 'purge'],
] as const;

/** Most workers of a phase. */
const MOST_WORKERS = 40;

/**
 * Units of both sides' ledgers and tenants for a whole move, and what its verification, which
 * passes items fastest, asks of the key.
 */
export async function ledger({ sizes, runs }: Bench): Promise<readonly Bar[]> {
  const move = await runs(world(S2, sizes.ledger, { caps: AWS_CAPS }), WORKS);
  const units = move.reduce((sum, { ledger: { rcu, wcu } }) => sum + rcu + wcu, 0);
  const [, verified] = await runs(world(S2, sizes.uncapped), [
    ['ours', 'copy'],
    ['ours', 'verify'],
  ]);
  // A unit reads four items of the bench.
  const mostPerSecond = 4 * AWS_CAPS.reads;
  const asked = MOST_WORKERS * (verified.ledger.wcu / verified.items) * mostPerSecond;
  return [
    atMost(
      'ledger',
      'units per moved item: copy, verification, purge',
      units / move[0].items,
      0.02,
    ),
    atMost(
      'ledger',
      `write units that ${MOST_WORKERS} workers ask of its key when they verify, of the cap`,
      asked / AWS_CAPS.partition,
      0.5,
      '%',
      'each at the cap of its own key',
    ),
  ];
}

/** The same moves of 16 workers, with AWS's caps on the ledger and without. */
export async function ledgerAt16({ sizes, runs, rounds }: Bench): Promise<readonly Bar[]> {
  const sixteen = (isLedgerUncapped?: true) =>
    runs(
      world(S2, sizes.ledgerShard, {
        part: 'sixteen',
        caps: AWS_CAPS,
        ...defined({ isLedgerUncapped }),
      }),
      WORKS,
    );
  const found = await rounds(async () => ({ capped: await sixteen(), free: await sixteen(true) }));
  const seconds = (all: readonly Measurement[]) => all.reduce((sum, one) => sum + one.seconds, 0);
  return [
    atLeast(
      'ledger',
      '16 workers verify: capped, of uncapped',
      medianOf(found, ({ capped, free }) => rate(capped[1]) / rate(free[1])),
      0.9,
    ),
    atLeast(
      'ledger',
      '16 workers copy, verify and purge: capped, of uncapped',
      medianOf(found, ({ capped, free }) => seconds(free) / seconds(capped)),
      0.9,
    ),
  ];
}

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

/** Units of both sides' ledgers and tenants, for a whole move; and of the key at most workers. */
export async function ledger({ sizes, runs, rounds }: Bench): Promise<readonly Bar[]> {
  const found = await rounds(() => runs(world(S2, sizes.fence, { caps: AWS_CAPS }), WORKS));
  const unitsOf = ({ ledger: { rcu, wcu } }: Measurement) => rcu + wcu;
  const perSecond = ({ ledger: { wcu }, seconds }: Measurement) => wcu / seconds;
  return [
    atMost(
      'ledger',
      'units per moved item: copy, verification, purge',
      medianOf(found, (all) => all.reduce((sum, one) => sum + unitsOf(one), 0) / all[0].items),
      0.02,
    ),
    atMost(
      'ledger',
      `write units a second of its key, ${MOST_WORKERS} times what one worker asks for, of the cap`,
      medianOf(
        found,
        (all) => (MOST_WORKERS * Math.max(...all.map(perSecond))) / AWS_CAPS.partition,
      ),
      0.5,
      '%',
      'each worker at the cap of its key',
    ),
  ];
}

/** The same moves of 16 workers, with AWS's caps on the ledger and without. */
export async function ledgerAt16({ sizes, runs, rounds }: Bench): Promise<readonly Bar[]> {
  const sixteen = (isLedgerUncapped?: true) =>
    runs(
      world(S2, sizes.fenceShard, {
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

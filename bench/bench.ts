/** The bench that the suites run on: a stub, sizes, and a record of all measurements. */
import { build, type Measurement, measure, type World, writtenUnits } from './measure.ts';
import type { Stub } from './stub/handle.ts';
import type { Job } from './variants/job.ts';
import { isInstalled } from './variants/npm-copy.ts';
import type { Sizes } from './worlds.ts';

export interface Run extends Measurement {
  readonly variant: string;
  readonly work: Job['work'];
  readonly world: World;
  readonly nodeOptions?: readonly string[];
  /** True: the run continued the work of a killed one. */
  readonly resumed?: true;
}

type Options = Pick<Run, 'nodeOptions' | 'resumed'>;
type BenchRun = readonly [variant: string, work: Job['work']];

export type Bench = ReturnType<typeof benchOn>;

export function benchOn(stub: Stub, sizes: Sizes, say: (line: string) => void) {
  const all: Run[] = [];

  async function step(
    world: World,
    variant: string,
    work: Job['work'],
    options: Options = {},
  ): Promise<Measurement> {
    const measured = await measure(stub, world, {
      variant,
      work,
      nodeOptions: options.nodeOptions ?? [],
    });
    if (measured === undefined) throw new Error('the run gave no measurement');
    checkTarget(measured, `${variant}, ${work}`, work);
    all.push({ ...measured, variant, work, world, ...options });
    say(
      `${variant.padEnd(16)} ${work.padEnd(8)} ${String(measured.items).padStart(7)} items in ${measured.seconds.toFixed(2).padStart(6)} s${throttledIn(measured)}`,
    );
    return measured;
  }

  return {
    sizes,
    all: all as readonly Run[],
    hasRival: isInstalled(),

    async run(
      variant: string,
      work: Job['work'],
      world: World,
      options?: Options,
    ): Promise<Measurement> {
      await build(stub, world);
      return step(world, variant, work, options);
    },

    /** Several runs in the same world, one after the other. */
    async runs<const Runs extends readonly BenchRun[]>(
      world: World,
      runs: Runs,
    ): Promise<{ readonly [At in keyof Runs]: Measurement }> {
      await build(stub, world);
      const done: Measurement[] = [];
      for (const one of runs) done.push(await step(world, ...one));
      // One measurement for each run, in their order.
      return done as { readonly [At in keyof Runs]: Measurement };
    },

    /** A run beside something else, which is not compared with its source afterwards. */
    async beside<T>(
      world: World,
      variant: string,
      work: Job['work'],
      other: (url: string) => Promise<T>,
    ): Promise<T> {
      await build(stub, world);
      const [found] = await Promise.all([other(stub.url), measure(stub, world, { variant, work })]);
      return found;
    },

    /** Copies, is killed when it has written `at` units, and copies the rest in a second run. */
    async killed(world: World, at: number): Promise<{ readonly rewritten: number }> {
      await build(stub, world);
      const killed = await measure(stub, world, {
        variant: 'ours',
        work: 'copy',
        killAt: at,
      });
      if (killed !== undefined) throw new Error('the copy was over before it could be killed');
      const { items } = await step(world, 'ours', 'copy', { resumed: true });
      return { rewritten: (await writtenUnits(stub, world)) - items };
    },

    async rounds<T>(round: () => Promise<T>): Promise<readonly T[]> {
      const found: T[] = [];
      for (let number = 0; number < sizes.rounds; number += 1) found.push(await round());
      return found;
    },
  };
}

/** What was throttled beside the writes of items, which look for the cap. */
function throttledIn({ source, target, ledger }: Measurement): string {
  const reads = source.refusedReads + target.refusedReads;
  const records = ledger.refused + ledger.refusedReads;
  return reads + records === 0 ? '' : `, throttled: ${reads} reads, ${records} of the ledger`;
}

/**
 * After a copy both tables are equal; after a purge one of them is empty. Throws for a run that did
 * not do its work.
 */
function checkTarget(
  { items, equal, different }: Measurement,
  what: string,
  work: Job['work'],
): void {
  const isEqual = equal === items && different === 0;
  const isEmptied = equal === 0 && different === items;
  if (work === 'purge' || work === 'discard' ? !isEmptied : !isEqual) {
    throw new Error(
      `${what}: of ${items} items, ${equal} are the same on both sides, ${different} are not`,
    );
  }
}

/** DATA: the latencies, the tables' caps, and how many items are moved. */
import type { World } from './measure.ts';
import type { Latency } from './stub/server.ts';

const at = (base: number): Latency => ({ base, perMb: 15 });

/** The worker runs beside the source, and writes to another region. */
export const S1 = { source: at(5), target: at(96) };
/** As we deploy: the worker runs in the realm that it writes to, and reads from another region. */
export const S2 = { source: at(90), target: at(11) };
/** No latency: only CPU takes time. */
export const S0 = { source: { base: 0, perMb: 0 }, target: { base: 0, perMb: 0 } };

const plain = { part: 'one', itemBytes: 1000 } as const;

export const world = (
  where: Pick<World, 'source' | 'target'>,
  items: number,
  rest: Partial<World> = {},
): World => ({
  ...plain,
  ...where,
  items,
  ...rest,
});

/**
 * How many items each run moves. Loops that wait for every batch have the same rate with few items
 * as with many.
 */
export interface Sizes {
  readonly rounds: number;
  readonly loop: number;
  readonly pageWise: number;
  readonly uncapped: number;
  readonly cap1000: number;
  readonly cap4000: number;
  readonly perPartition: number;
  /**
   * Of a tenant that is copied ahead, under one key and under each of 16: so many that the start of
   * a process and single pages count little.
   */
  readonly ahead: number;
  readonly aheadShard: number;
  /** Of a whole move, under one key and under each of 16. */
  readonly ledger: number;
  readonly ledgerShard: number;
  /** Seconds for which the live app is measured. */
  readonly liveSeconds: number;
  readonly cpu: number;
  readonly small: number;
  readonly large: number;
  readonly killed: number;
  readonly deleted: number;
  readonly deleteLoop: number;
  /** Small objects; of a run beside it; of a loop one by one; and objects of 20 MB. */
  readonly objects: number;
  readonly fewObjects: number;
  readonly objectLoop: number;
  readonly largeObjects: number;
}

export const FULL: Sizes = {
  rounds: 3,
  loop: 500,
  pageWise: 15_000,
  uncapped: 100_000,
  cap1000: 8_000,
  cap4000: 40_000,
  perPartition: 5_000,
  ahead: 100_000,
  aheadShard: 4_000,
  ledger: 20_000,
  ledgerShard: 2_000,
  liveSeconds: 12,
  cpu: 120_000,
  small: 20_000,
  large: 200_000,
  killed: 20_000,
  deleted: 40_000,
  deleteLoop: 50,
  objects: 50_000,
  fewObjects: 12_500,
  objectLoop: 200,
  largeObjects: 200,
};

export const QUICK: Sizes = {
  rounds: 1,
  loop: 250,
  pageWise: 6_000,
  uncapped: 40_000,
  cap1000: 8_000,
  cap4000: 22_000,
  perPartition: 2_500,
  ahead: 6_000,
  aheadShard: 250,
  ledger: 6_000,
  ledgerShard: 500,
  liveSeconds: 4,
  cpu: 30_000,
  small: 20_000,
  large: 22_000,
  killed: 9_000,
  deleted: 20_000,
  deleteLoop: 20,
  objects: 1_000,
  fewObjects: 250,
  objectLoop: 60,
  largeObjects: 8,
};

/** The order to a worker process of the benchmark, and its answer. */

/** The two realms; the target's tables are in the target's region. */
export const SOURCE = { realm: 'us', region: 'us-east-1' } as const;
export const TARGET = { realm: 'de', region: 'eu-central-1' } as const;
export const TENANT = 'tenant-1';
export const STAGE = 'bench';

/** The parts by their number of partition keys, each of which is a range of its own. */
export const SHARDS = { one: 1, four: 4, sixteen: 16 } as const;
export type PartName = keyof typeof SHARDS;

export interface Job {
  /** A file of `bench/variants`. */
  readonly variant: string;
  readonly work: 'ahead' | 'copy' | 'verify' | 'purge' | 'discard';
  readonly endpoint: string;
  readonly part: PartName;
  readonly sourceRegion: string;
  readonly sourceTable: string;
  readonly targetRegion: string;
  readonly targetTable: string;
  readonly partitions: readonly string[];
  /** The ranges were copied ahead of the window, so that a copy makes the target equal. */
  readonly isAhead?: true;
}

export interface Outcome {
  readonly seconds: number;
  /** User and system time of the process, while it worked. */
  readonly cpuSeconds: number;
  /** Peak memory of the process in bytes. */
  readonly peakRss: number;
}

/** Does the work. What comes before `begin` (clients, records) is not measured. */
export type Variant = (job: Job, begin: () => Promise<void>) => Promise<void>;

export const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench' };

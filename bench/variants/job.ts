/** What a worker process of the benchmark is told to do, and what it says afterwards. */

/** `de` is the target and its tables' region, `us` the source. */
export const SOURCE = { realm: 'us', region: 'us-east-1' } as const;
export const TARGET = { realm: 'de', region: 'eu-central-1' } as const;
export const TENANT = 'tenant-1';
export const STAGE = 'bench';

/** `one`: all items under one partition key; `four`: four shards, each a range of its own. */
export type PartName = 'one' | 'four';

export interface Job {
  /** A file of `bench/variants`. */
  readonly variant: string;
  readonly work: 'copy' | 'verify' | 'purge' | 'discard';
  readonly endpoint: string;
  readonly part: PartName;
  readonly sourceRegion: string;
  readonly sourceTable: string;
  readonly targetRegion: string;
  readonly targetTable: string;
  readonly partitions: readonly string[];
}

export interface Outcome {
  readonly seconds: number;
  /** User and system time of the process, while it worked. */
  readonly cpuSeconds: number;
  /** Most memory that the process has held, in bytes. */
  readonly peakRss: number;
}

/** Does the job. What comes before `begin` (clients, records) is not measured. */
export type Variant = (job: Job, begin: () => Promise<void>) => Promise<void>;

export const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench' };

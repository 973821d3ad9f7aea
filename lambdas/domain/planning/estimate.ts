/**
 * Estimates a move: its time, its cost, and the limit that the copy waits for most.
 * docs/performance.md has the formula, and what it leaves out.
 */

/**
 * How a part's partition keys share the load. A `Part` fits too: without `share`, every partition
 * key holds as much.
 */
export interface PartLoad {
  /** Partition keys of the tenant in this part; 1 where it is left out. */
  readonly shards?: number;
  /** Share of all items and bytes, between 0 and 1. All parts have it, or none. */
  readonly share?: number;
}

/**
 * What limits the worker. The defaults are DynamoDB on demand, and a worker in the realm that it
 * writes to.
 */
export interface Conditions {
  /** Write units per second that one partition key takes. */
  readonly partitionUnits: number;
  /** Read units per second that one partition key gives. */
  readonly partitionReads: number;
  /**
   * Write units per second that the table takes: 4,000 for a new on-demand table, later twice its
   * former peak.
   */
  readonly tableUnits: number;
  /** Milliseconds from the worker to the source and to the target, and for each MB that is read. */
  readonly sourceMs: number;
  readonly targetMs: number;
  readonly msPerMb: number;
  /** Batches that one worker has in flight at most. */
  readonly window: number;
  /** Workers at a time: the concurrency of the Map. */
  readonly concurrency: number;
  /** CPU per item, in milliseconds. */
  readonly cpuMs: number;
}

const CONDITIONS: Conditions = {
  partitionUnits: 1_000,
  partitionReads: 3_000,
  tableUnits: 4_000,
  sourceMs: 90,
  targetMs: 11,
  msPerMb: 15,
  window: 160,
  concurrency: 16,
  cpuMs: 0.06,
};

export type Limit = 'partition' | 'table' | 'reading' | 'writing' | 'cpu';

/** What the copy waits for most: a limit of tables, or the objects beside them. */
export type EstimatedLimit = Limit | 'objects';

export interface Estimate {
  /** Until the copy is verified: the shortest time for which the site is offline. */
  readonly seconds: number;
  readonly copySeconds: number;
  readonly verifySeconds: number;
  /** To make the target equal where everything was copied ahead and next to nothing has changed. */
  readonly equalSeconds: number;
  /** What the copy waits for most. */
  readonly limit: EstimatedLimit;
  /** For each limit, the seconds that the copy would take if only this limited it. */
  readonly bounds: Readonly<Record<Limit, number>>;
  readonly writeUnits: number;
  readonly readUnits: number;
  /**
   * The whole move: copy, verification, recheck, purge. The workers' time, about 2 % more, is left
   * out.
   */
  readonly dollars: number;
}

const MB = 1024 * 1024;
/** Bytes of a strongly consistent read unit. */
const READ_UNIT = 4096;
const BATCH = 25;
/** Prices on demand in us-east-1, per unit and per byte between regions. */
const WRITE_UNIT_DOLLARS = 0.625e-6;
export const READ_UNIT_DOLLARS = 0.125e-6;
const BYTE_DOLLARS = 0.02 / 1024 ** 3;
/**
 * Every item is read for the copy, for the verification on both sides, for the recheck and for the
 * purge.
 */
const READINGS = 5;
/** Copy and verification read the source from the target's realm. */
const CROSSINGS = 2;
/**
 * Round trips, one after another: checks of the ledger, the lease, the first page, the growing
 * write window, the last record.
 */
const SOURCE_ROUND_TRIPS = 3;
const TARGET_ROUND_TRIPS = 10;
/** Stretches of keys for which the source is asked at once, to make a target equal to it. */
export const STRETCHES_AT_ONCE = 4;
/** A new process is slow until its code is compiled. */
export const WARM_UP_SECONDS = 0.6;
/** An acknowledged page waits for the record before it half of the time, and then for its own. */
const RECORDS_WAITED_FOR = 1.5;

/**
 * The shortest time for a move of `items` with `bytes` in all: no other load on the tables, and
 * keys spread as given.
 */
export function estimate(
  items: number,
  bytes: number,
  parts: readonly PartLoad[],
  conditions: Partial<Conditions> = {},
): Estimate {
  const given = { ...CONDITIONS, ...conditions };
  const { partitionUnits, partitionReads, tableUnits, window, concurrency, cpuMs } = given;
  const { sourceMs, targetMs, msPerMb } = given;
  const loads = rangeLoads(parts);
  const hottest = Math.max(0, ...loads.map(({ ofAll }) => ofAll));
  const largestPart = Math.max(0, ...loads.map(({ ofAll, ranges }) => ofAll * ranges));
  const ranges = loads.reduce((sum, load) => sum + load.ranges, 0);
  // The busiest worker has at least the largest range, and at least an even share of all ranges.
  const busiest = Math.max(hottest, 1 / Math.max(1, Math.min(concurrency, ranges)));
  const writeUnits = unitsOf(items, bytes);
  const megabytes = bytes / MB;

  // At most a window and a page are written before a record covers them. That takes the checks of
  // the ledger in the source and of both fences; the record itself is written in the target
  // meanwhile.
  const unrecorded = BATCH * window + (bytes > 0 ? (items / bytes) * MB : 0);
  const recordMs = sourceMs + Math.max(sourceMs, targetMs);
  const unrecordedMs = targetMs + RECORDS_WAITED_FOR * recordMs;

  const writing = (items * busiest * unrecordedMs) / unrecorded / 1000;
  const computing = (items * busiest * cpuMs) / 1000;
  const warmUp = items > 0 ? WARM_UP_SECONDS : 0;
  const bounds: Record<Limit, number> = {
    partition: (writeUnits * hottest) / partitionUnits,
    table: (writeUnits * largestPart) / tableUnits,
    reading: (megabytes * busiest * (sourceMs + msPerMb)) / 1000,
    writing,
    cpu: computing + warmUp,
  };
  const pagesUnderWay = items > 0 ? (unrecorded * bytes) / items / MB : 1;
  const pipeline = together(writing, computing, pagesUnderWay) + warmUp;
  const outside = largest(bounds, ['partition', 'table', 'reading']);
  const limit = bounds[outside] >= pipeline ? outside : largest(bounds, ['writing', 'cpu']);
  const beginning = (SOURCE_ROUND_TRIPS * sourceMs + TARGET_ROUND_TRIPS * targetMs) / 1000;
  const copySeconds = Math.max(bounds[outside], pipeline) + beginning;
  // Reads from both ends at once, and both sides in parallel. Reading both sides takes as much CPU
  // as reading one and writing the other.
  const pages = Math.ceil(megabytes * busiest) / 2;
  const reading = (pages * (Math.max(sourceMs, targetMs) + msPerMb)) / 1000;
  const keyReads = (bytes * hottest) / READ_UNIT / partitionReads;
  const verifySeconds = Math.max(reading, keyReads, bounds.cpu) + beginning;
  // Both sides are read in the order of their keys, some stretches at once, for half the price.
  const inStretches = bounds.reading / STRETCHES_AT_ONCE + warmUp;
  const equalSeconds = Math.max(keyReads / 2, bounds.cpu, inStretches) + beginning;
  const readUnits = (READINGS * bytes) / READ_UNIT;
  const dollars =
    2 * writeUnits * WRITE_UNIT_DOLLARS +
    readUnits * READ_UNIT_DOLLARS +
    CROSSINGS * bytes * BYTE_DOLLARS;
  return {
    seconds: copySeconds + verifySeconds,
    copySeconds,
    verifySeconds,
    equalSeconds,
    limit,
    bounds,
    writeUnits,
    readUnits,
    dollars,
  };
}

/**
 * Waiting and computing overlap only as far as there are pages to take turns: `pages` customers in
 * a closed network of one queue and one delay (mean value analysis, after Schweitzer). One page
 * takes the sum of both, many pages take the larger of the two.
 */
function together(waiting: number, computing: number, pages: number): number {
  const turns = Math.max(1, pages);
  const apart = (waiting - computing) ** 2 + (4 * waiting * computing) / turns;
  return (waiting + computing + Math.sqrt(apart)) / 2;
}

const largest = (
  bounds: Readonly<Record<Limit, number>>,
  [first, ...others]: readonly [Limit, ...Limit[]],
): Limit => others.reduce((most, one) => (bounds[one] > bounds[most] ? one : most), first);

/**
 * Per KB begun: exact for items of at most 1 KB. Larger items end in the middle of a KB on average.
 */
function unitsOf(items: number, bytes: number): number {
  const kilobytes = bytes / 1024;
  return kilobytes <= items ? items : Math.ceil(kilobytes + items / 2);
}

/** For each part: how many ranges it has, and which share of all items one of them holds. */
function rangeLoads(parts: readonly PartLoad[]) {
  const all = parts.reduce((sum, { shards = 1 }) => sum + shards, 0);
  return parts.map(({ shards = 1, share = shards / all }) => ({
    ranges: shards,
    ofAll: share / shards,
  }));
}

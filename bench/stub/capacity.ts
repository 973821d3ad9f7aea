/** What the stub charges and refuses: exact counters, and token buckets like DynamoDB's. */

/** Counters per table and operation. */
export interface Count {
  requests: number;
  /** Requested writes, refused ones included. */
  writes: number;
  /** Refused writes: left unprocessed, or refused with the whole request. */
  refused: number;
  /** Refused reads. */
  refusedReads: number;
  rcu: number;
  wcu: number;
}

/** Units per second. What is left out is not capped. */
export interface Caps {
  /** Write units of the whole table. */
  readonly table?: number;
  /** Write units of each partition key. */
  readonly partition?: number;
  /** Read units of each partition key. */
  readonly reads?: number;
  /**
   * Seconds of unused capacity that a bucket keeps. DynamoDB keeps 300, which would hide the cap in
   * a short run.
   */
  readonly burstSeconds?: number;
}

const DEFAULT_BURST_SECONDS = 1;

/** What DynamoDB lets one partition key have. */
export const AWS_CAPS = { partition: 1_000, reads: 3_000 } as const satisfies Caps;

class TokenBucket {
  readonly #perSecond: number;
  readonly #most: number;
  #tokens = 0;
  #at: number;

  /**
   * The bucket is empty at `since`, when the run begins, so that the rate can be compared with the
   * cap from its first second.
   */
  constructor(perSecond: number, since: number, burstSeconds = DEFAULT_BURST_SECONDS) {
    this.#perSecond = perSecond;
    this.#at = since;
    this.#most = perSecond * burstSeconds;
  }

  available(): number {
    const now = performance.now();
    this.#tokens = Math.min(this.#most, this.#tokens + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    return this.#tokens;
  }

  take(units: number): void {
    this.#tokens -= units;
  }
}

/** The buckets of one table. */
export class Capacity {
  readonly #caps: Caps;
  readonly #table: TokenBucket | undefined;
  readonly #since = performance.now();
  readonly #writes = new Map<string, TokenBucket>();
  readonly #reads = new Map<string, TokenBucket>();

  constructor(caps: Caps) {
    this.#caps = caps;
    if (caps.table !== undefined)
      this.#table = new TokenBucket(caps.table, this.#since, caps.burstSeconds);
  }

  /** Takes the units; returns false, and takes none, where there are not enough. */
  allows(partition: string, units: number): boolean {
    const ofKey = this.#bucket(this.#writes, partition, this.#caps.partition);
    const buckets = [this.#table, ofKey].filter((bucket) => bucket !== undefined);
    if (buckets.some((bucket) => bucket.available() < units)) return false;
    for (const bucket of buckets) bucket.take(units);
    return true;
  }

  /**
   * Takes the units of a page that was read. A page costs what it turns out to have, so that it is
   * answered where anything is left, and the bucket may be in debt after it.
   */
  allowsRead(partition: string, units: number): boolean {
    const bucket = this.#bucket(this.#reads, partition, this.#caps.reads);
    if (bucket === undefined) return true;
    if (bucket.available() <= 0) return false;
    bucket.take(units);
    return true;
  }

  #bucket(
    buckets: Map<string, TokenBucket>,
    partition: string,
    perSecond: number | undefined,
  ): TokenBucket | undefined {
    if (perSecond === undefined) return undefined;
    const found =
      buckets.get(partition) ?? new TokenBucket(perSecond, this.#since, this.#caps.burstSeconds);
    buckets.set(partition, found);
    return found;
  }
}

export const NO_COUNT: Readonly<Count> = {
  requests: 0,
  writes: 0,
  refused: 0,
  refusedReads: 0,
  rcu: 0,
  wcu: 0,
};

export class Counters {
  readonly counts: Record<string, Record<string, Count>> = {};

  of(table: string, operation: string): Count {
    const byOperation = this.counts[table] ?? {};
    const count = byOperation[operation] ?? { ...NO_COUNT };
    this.counts[table] = byOperation;
    byOperation[operation] = count;
    return count;
  }
}

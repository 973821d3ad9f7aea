/** What the stub charges and refuses: exact counters, and token buckets like DynamoDB's. */

/** Counters per table and operation. */
export interface Count {
  requests: number;
  /** Requested writes, refused ones included. */
  writes: number;
  /** Refused writes: left unprocessed, or refused with the whole request. */
  refused: number;
  rcu: number;
  wcu: number;
}

/** Write units per second of a whole table, and of each of its partition keys. */
export interface Caps {
  readonly table?: number;
  readonly partition?: number;
  /**
   * Seconds of unused capacity that a bucket keeps. DynamoDB keeps 300, which would hide the cap in
   * a short run.
   */
  readonly burstSeconds?: number;
}

const DEFAULT_BURST_SECONDS = 1;

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
export class WriteCapacity {
  readonly #caps: Caps;
  readonly #table: TokenBucket | undefined;
  readonly #since = performance.now();
  readonly #partitions = new Map<string, TokenBucket>();

  constructor(caps: Caps) {
    this.#caps = caps;
    if (caps.table !== undefined)
      this.#table = new TokenBucket(caps.table, this.#since, caps.burstSeconds);
  }

  /** Takes the units; returns false, and takes none, where there are not enough. */
  allows(partition: string, units: number): boolean {
    const buckets = [this.#table, this.#ofPartition(partition)].filter(
      (bucket) => bucket !== undefined,
    );
    if (buckets.some((bucket) => bucket.available() < units)) return false;
    for (const bucket of buckets) bucket.take(units);
    return true;
  }

  #ofPartition(partition: string): TokenBucket | undefined {
    if (this.#caps.partition === undefined) return undefined;
    const found =
      this.#partitions.get(partition) ??
      new TokenBucket(this.#caps.partition, this.#since, this.#caps.burstSeconds);
    this.#partitions.set(partition, found);
    return found;
  }
}

export class Counters {
  readonly counts: Record<string, Record<string, Count>> = {};

  of(table: string, operation: string): Count {
    const byOperation = this.counts[table] ?? {};
    const count = byOperation[operation] ?? { requests: 0, writes: 0, refused: 0, rcu: 0, wcu: 0 };
    this.counts[table] = byOperation;
    byOperation[operation] = count;
    return count;
  }
}

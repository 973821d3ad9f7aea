/**
 * A process with the local S3 of both regions, which answers as late and takes as much as it is
 * told. Its answers to orders count the requests.
 */
import { startEmbeddedS3 } from '../../lib/local/s3/embedded-s3.ts';
import { Capacity } from '../stub/capacity.ts';
import { SOURCE, TARGET } from '../variants/job.ts';

/** Requests per second of a region that are taken; what is left out is not capped. */
export interface ObjectCaps {
  readonly writes?: number;
  readonly reads?: number;
}

export interface ObjectOrder {
  readonly caps: ObjectCaps;
  /** Milliseconds until an answer, by region. */
  readonly latency: Readonly<Record<string, number>>;
}

export interface ObjectCounts {
  /** Requests that were taken since the last order, by operation. */
  readonly taken: Readonly<Record<string, number>>;
  /** Requests that were answered `SlowDown`. */
  readonly slowed: number;
}

const WRITES: ReadonlySet<string> = new Set(['CopyObject', 'DeleteObjects', 'UploadPartCopy']);

let order: ObjectOrder = { caps: {}, latency: {} };
let writes = new Map<string, Capacity>();
let reads = new Map<string, Capacity>();
let taken: Record<string, number> = {};
let slowed = 0;

function begin(next: ObjectOrder): ObjectCounts {
  const counts = { taken, slowed };
  order = next;
  [taken, slowed] = [{}, 0];
  const capacities = (perSecond: number | undefined) =>
    new Map(
      [SOURCE, TARGET].map(({ region }) => [
        region,
        new Capacity(perSecond === undefined ? {} : { partition: perSecond }),
      ]),
    );
  [writes, reads] = [capacities(next.caps.writes), capacities(next.caps.reads)];
  return counts;
}
begin(order);

const server = await startEmbeddedS3({
  port: 0,
  regions: [SOURCE.region, TARGET.region],
  inject({ region, operation }) {
    const delayMs = order.latency[region] ?? 0;
    const capacity = (WRITES.has(operation) ? writes : reads).get(region);
    if (capacity?.allows('prefix', 1) === false) {
      slowed += 1;
      return { delayMs, error: 'SlowDown' };
    }
    taken[operation] = (taken[operation] ?? 0) + 1;
    return { delayMs };
  },
});
process.on('message', (next: ObjectOrder) => process.send?.(begin(next)));
process.on('disconnect', () => process.exit(0));
process.send?.({ url: server.url });

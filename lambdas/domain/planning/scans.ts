/** Time and price of the scans of a move, for tables whose partition key is an entity's id. */
import type { Part } from '../datasets/dataset.ts';
import { type Discovery, isScannedAtOnce, segmentsOf } from '../datasets/discovery.ts';
import { type Estimate, READ_UNIT_DOLLARS } from './estimate.ts';

const READ_UNIT_BYTES = 4096;
/** Sixteen requests of one worker at once, each with 1 MB in about 200 ms. Not measured on AWS. */
const WORKER_BYTES_PER_SECOND = 80e6;
/** Ranges of one move at once, where nothing else is set. */
const WORKERS = 16;
/**
 * DynamoDB reads 3,000 units a second from each partition of a table. A new table has four; further
 * ones come with each 10 GB.
 */
const PARTITION_BYTES_PER_SECOND = 3_000 * READ_UNIT_BYTES;
const LEAST_PARTITIONS = 4;
const PARTITION_GB = 10;
/** A cache is purged, proven empty, and proven so again where one step can. */
const SCANS_OF_DROP = 2;

/** The scans of one part. Each lasts as many seconds. */
export interface PartScans {
  readonly part: string;
  readonly segments: number;
  /** Seconds of a segment that one worker scans alone. */
  readonly segmentSeconds: number;
  /** Seconds of a scan of the whole table by all workers; by the one that claims the target. */
  readonly seconds: number;
  readonly aloneSeconds: number;
  /** Scans before the verification, beside the proof that the target is empty. */
  readonly copying: number;
  /** Scans one after the other while both sides are verified. */
  readonly verifying: number;
  /** Scans of the whole move, in both realms. */
  readonly all: number;
  readonly dollars: number;
}

/** By the largest size that is declared; none where no table is scanned. */
export const scansOf = (parts: readonly Part[]): readonly PartScans[] =>
  parts.flatMap((part) => (part.discover === undefined ? [] : [scansOfPart(part, part.discover)]));

function scansOfPart({ name, policy }: Part, discover: Discovery): PartScans {
  const bytes = discover.largestTableGB * 1e9;
  const segments = segmentsOf(discover);
  const partitions = Math.max(LEAST_PARTITIONS, Math.ceil(discover.largestTableGB / PARTITION_GB));
  const secondsBy = (workers: number, ofBytes: number) =>
    ofBytes / Math.min(WORKER_BYTES_PER_SECOND * workers, PARTITION_BYTES_PER_SECOND * partitions);
  const copying = discover.by === 'index' ? 0 : 1;
  // Where a table has segments, the side that was written is read as the other shares it out.
  const verifying = segments > 1 ? 2 : 1;
  // The target is proven empty; then come copy, verification of both sides, recheck, purge, proof.
  const moved = 1 + copying + (1 + verifying) + 1 + 1 + 1;
  const again = isScannedAtOnce(discover) ? 1 : 0;
  const all = (policy === 'move' ? moved : SCANS_OF_DROP) + again;
  return {
    part: name,
    segments,
    segmentSeconds: secondsBy(1, bytes / segments),
    seconds: secondsBy(Math.min(WORKERS, segments), bytes),
    aloneSeconds: secondsBy(1, bytes),
    copying: policy === 'move' ? copying : 0,
    verifying: policy === 'move' ? verifying : 0,
    all,
    dollars: (bytes / READ_UNIT_BYTES) * all * READ_UNIT_DOLLARS,
  };
}

/**
 * The estimate of a move, with the scans that it needs besides. Different tables are read at once.
 */
export function withScans(estimate: Estimate, parts: readonly Part[]): Estimate {
  const scans = scansOf(parts);
  if (scans.length === 0) return estimate;
  const moving = scans.filter(({ verifying }) => verifying > 0);
  const longest = (of: (scan: PartScans) => number) => Math.max(0, ...moving.map(of));
  const proving = moving.reduce((sum, { aloneSeconds }) => sum + aloneSeconds, 0);
  const copying = proving + longest((scan) => scan.copying * scan.seconds);
  const verifying = longest((scan) => scan.verifying * scan.seconds);
  return {
    ...estimate,
    seconds: estimate.seconds + copying + verifying,
    copySeconds: estimate.copySeconds + copying,
    verifySeconds: estimate.verifySeconds + verifying,
    equalSeconds: estimate.equalSeconds + verifying,
    limit: copying > estimate.copySeconds ? 'reading' : estimate.limit,
    dollars: estimate.dollars + scans.reduce((sum, { dollars }) => sum + dollars, 0),
  };
}

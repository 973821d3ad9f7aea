/** Time and price of the scans of a move, for tables whose partition key is an entity's id. */
import type { Part } from '../datasets/dataset.ts';
import { type Estimate, READ_UNIT_DOLLARS } from './estimate.ts';

/** Sixteen segments at once, each with 1 MB in about 200 ms. Not measured on AWS. */
const BYTES_PER_SECOND = 80e6;
const READ_UNIT_BYTES = 4096;
/**
 * While the tenant is fenced: the target is proven empty and the source is read for the copy; then
 * both sides are read at once for the verification.
 */
const SCANS = { copy: 2, verify: 1 };
/** Scans of a whole move: these, the recheck, the purge, and the proof that the source is empty. */
const SCANS_OF_MOVE = 7;
/** A cache is purged, and proven empty. */
const SCANS_OF_DROP = 2;

export interface Scans {
  /** Seconds of one scan of the largest table. Different tables are read at once. */
  readonly seconds: number;
  /** Dollars for all scans of the whole move. */
  readonly dollars: number;
}

/** By the largest size that is declared; `undefined` where no table is scanned. */
export function scansOf(parts: readonly Part[]): Scans | undefined {
  const scanned = parts.flatMap(({ discover, policy }) =>
    discover === undefined ? [] : [{ bytes: discover.largestTableGB * 1e9, policy }],
  );
  if (scanned.length === 0) return undefined;
  const units = scanned.reduce(
    (sum, { bytes, policy }) =>
      sum + (bytes / READ_UNIT_BYTES) * (policy === 'move' ? SCANS_OF_MOVE : SCANS_OF_DROP),
    0,
  );
  const moving = scanned.filter(({ policy }) => policy === 'move');
  return {
    seconds: Math.max(0, ...moving.map(({ bytes }) => bytes / BYTES_PER_SECOND)),
    dollars: units * READ_UNIT_DOLLARS,
  };
}

/** The estimate of a move, with the scans that it needs besides. */
export function withScans(estimate: Estimate, parts: readonly Part[]): Estimate {
  const scans = scansOf(parts);
  if (scans === undefined) return estimate;
  const [copying, verifying] = [SCANS.copy * scans.seconds, SCANS.verify * scans.seconds];
  return {
    ...estimate,
    seconds: estimate.seconds + copying + verifying,
    copySeconds: estimate.copySeconds + copying,
    verifySeconds: estimate.verifySeconds + verifying,
    limit: copying > estimate.copySeconds ? 'reading' : estimate.limit,
    dollars: estimate.dollars + scans.dollars,
  };
}

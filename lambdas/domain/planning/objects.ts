/**
 * Time and price of the objects of a move, by S3's request rates and prices. The time is the
 * shortest possible one, and not measured on AWS.
 */
import { type Part, rangesPerTenant } from '../datasets/dataset.ts';
import { kindOf } from '../datasets/kinds.ts';
import type { PartSize } from '../datasets/size.ts';
import type { Estimate } from './estimate.ts';

/** A prefix takes as many writes a second, and as many reads: S3's documentation. */
const WRITES_PER_SECOND = 3_500;
const READS_PER_SECOND = 5_500;
/** CPU of a worker for each request, in seconds. */
const REQUEST_SECONDS = 0.000_5;
/** What the target's S3 copies for one range from another region. */
const BYTES_PER_SECOND = 5e9;
/** One request copies at most 512 MB, and a part of a larger object has 256 MB. */
const PART_BYTES = 256 * 1024 ** 2;

/** HEAD for the look before, the copy, both sides of the verification, and the recheck. */
const READS_OF_MOVE = 5;
/** Each of these, and the purge and the proofs, lists a prefix by 1,000 keys. */
const LISTS_OF_MOVE = 8;
const KEYS_OF_LIST = 1_000;
/** Prices in us-east-1: for a HEAD, for a copy or a list, and for a byte between regions. */
const READ_DOLLARS = 0.4e-6;
const WRITE_DOLLARS = 5e-6;
const BYTE_DOLLARS = 0.02 / 1024 ** 3;

export const isOfObjects = (part: Part): boolean => kindOf(part).place === 'bucket';

interface Objects {
  readonly copySeconds: number;
  readonly verifySeconds: number;
  readonly dollars: number;
}

/** Many small objects wait for requests, and few large ones for bytes. */
export function objectsOf(part: Part, { items, bytes }: PartSize): Objects {
  const ranges = rangesPerTenant(part);
  // An average: where a few objects are large, the larger number of requests counts.
  const copies = Math.max(items, Math.ceil(bytes / PART_BYTES));
  const each = (requests: number, perSecond: number) =>
    requests / ranges / Math.min(perSecond, 1 / REQUEST_SECONDS);
  return {
    copySeconds: Math.max(
      each(copies, WRITES_PER_SECOND) + each(items, READS_PER_SECOND),
      bytes / ranges / BYTES_PER_SECOND,
    ),
    // One worker reads both sides.
    verifySeconds: each(2 * items, 2 * READS_PER_SECOND),
    dollars:
      READS_OF_MOVE * items * READ_DOLLARS +
      (copies + (LISTS_OF_MOVE * items) / KEYS_OF_LIST) * WRITE_DOLLARS +
      bytes * BYTE_DOLLARS,
  };
}

/** The estimate of the tables, with the objects. Ranges of tables and buckets run at once. */
export function withObjects(
  estimate: Estimate,
  parts: readonly Part[],
  sizes: Readonly<Record<string, PartSize>>,
): Estimate {
  const all = parts
    .filter((part) => part.policy === 'move' && isOfObjects(part))
    .map((part) => objectsOf(part, sizes[part.name] ?? { items: 0, bytes: 0 }));
  if (all.length === 0) return estimate;
  const longest = (of: 'copySeconds' | 'verifySeconds') => Math.max(...all.map((one) => one[of]));
  const copySeconds = Math.max(estimate.copySeconds, longest('copySeconds'));
  const verifySeconds = Math.max(estimate.verifySeconds, longest('verifySeconds'));
  return {
    ...estimate,
    seconds: copySeconds + verifySeconds,
    copySeconds,
    verifySeconds,
    equalSeconds: Math.max(estimate.equalSeconds, longest('verifySeconds')),
    limit: copySeconds > estimate.copySeconds ? 'objects' : estimate.limit,
    dollars: estimate.dollars + all.reduce((sum, { dollars }) => sum + dollars, 0),
  };
}

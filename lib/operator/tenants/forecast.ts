/**
 * Pure: how long a move will take, by what a rehearsal measured, and by what DynamoDB takes at
 * most.
 */
import { type Part, rangesPerTenant } from '../../../lambdas/domain/datasets/dataset.ts';
import type { Measured } from '../../../lambdas/domain/operating/rehearsal.ts';
import { type Estimate, estimate } from '../../../lambdas/domain/planning/estimate.ts';
import { isOfObjects, withObjects } from '../../../lambdas/domain/planning/objects.ts';
import { withScans } from '../../../lambdas/domain/planning/scans.ts';
import type { PartCount } from '../operator.ts';

export interface Forecast {
  /** From `start` until ready to commit: how long the site is offline at the least. */
  readonly seconds: number;
  readonly drainSeconds: number;
  readonly copySeconds: number;
  readonly verifySeconds: number;
  readonly overheadSeconds: number;
  /** What the copy waits for most. */
  readonly limit: Estimate['limit'] | 'records';
  readonly items: number;
  readonly bytes: number;
  /** Dollars for the whole move, purge included; without the workers' time, about 2 % more. */
  readonly dollars: number;
  /** Measured, or by the planner's own numbers alone. */
  readonly basis: 'measured' | 'planned';
}

export interface ForecastInput {
  readonly parts: readonly Part[];
  readonly sizes: readonly PartCount[];
  /** Ranges of one move that are worked on at once. */
  readonly concurrency: number;
  /** The workers share one processor, which is that of the database too. */
  readonly isLocal: boolean;
  readonly measured?: Measured | undefined;
  readonly sample?: { readonly items: number } | undefined;
}

/**
 * Calls on records that a worker makes for one range, and for nothing in it: half of them for the
 * copy.
 */
const CALLS_PER_RANGE = 34;
/** States of a copy, from a worker's first call to its last, when nothing is in the way. */
const STATES = 14;
/** One state of Step Functions, after another. */
const STATE_SECONDS = { aws: 0.05, local: 0.004 };

export function forecast(input: ForecastInput): Forecast {
  const { parts, concurrency, isLocal, measured, sample } = input;
  const moving = input.sizes.filter(({ policy }) => policy === 'move');
  const items = moving.reduce((sum, part) => sum + part.items, 0);
  const bytes = moving.reduce((sum, part) => sum + part.bytes, 0);
  const shaped = parts.filter((part) => part.policy === 'move' && !isOfObjects(part));
  const inTables = moving.filter(({ part }) => shaped.some(({ name }) => name === part));
  const tableItems = inTables.reduce((sum, part) => sum + part.items, 0);
  const tableBytes = inTables.reduce((sum, part) => sum + part.bytes, 0);
  const loads = shaped.map((part) => ({
    shards: rangesPerTenant(part),
    share:
      tableItems === 0 ? 1 / shaped.length : (sizeOf(moving, part.name)?.items ?? 0) / tableItems,
  }));
  const ranges = parts
    .filter(({ policy }) => policy === 'move')
    .reduce((sum, part) => sum + rangesPerTenant(part), 0);
  const scanned = withScans(
    estimate(tableItems, tableBytes, loads, {
      concurrency,
      ...(measured && { sourceMs: measured.sourceMs, targetMs: measured.targetMs }),
    }),
    parts,
  );
  const sizes = Object.fromEntries(moving.map((part) => [part.part, part]));
  const planned = withObjects(scanned, parts, sizes);
  const stateSeconds = STATES * (isLocal ? STATE_SECONDS.local : STATE_SECONDS.aws);
  const overheadSeconds =
    stateSeconds + (measured ? (CALLS_PER_RANGE * ranges * measured.callMs) / 1000 : 0);
  const drainSeconds = measured ? measured.drainMs / 1000 : 0;

  if (measured === undefined || sample === undefined || sample.items === 0) {
    const { copySeconds, verifySeconds, limit, dollars } = planned;
    const seconds = drainSeconds + copySeconds + verifySeconds + overheadSeconds;
    const basis = measured ? 'measured' : 'planned';
    return {
      seconds,
      drainSeconds,
      copySeconds,
      verifySeconds,
      overheadSeconds,
      limit,
      items,
      bytes,
      dollars,
      basis,
    };
  }

  // The sample went through one process with all its ranges at once. Where workers have one each,
  // that is the least they do.
  const processes = isLocal ? 1 : Math.min(concurrency, ranges);
  const { few } = measured;
  const of = (all: number, ofFew: number) =>
    growing(all, sample.items, ofFew, few.items, tableItems) / processes / 1000;
  const writing = of(measured.copyMs, few.copyMs);
  const reading = of(measured.readMs, few.readMs);
  // DynamoDB's own limits hold on AWS alone.
  const none = { copySeconds: 0, verifySeconds: 0 };
  const objects = withObjects({ ...scanned, ...none }, parts, sizes);
  const limits = isLocal ? objects : planned;
  const copySeconds = Math.max(writing, limits.copySeconds);
  // Both sides are read; by one process, one after the other.
  const verifySeconds = Math.max(reading * (isLocal ? 2 : 1), limits.verifySeconds);
  const limit = copySeconds === writing ? 'cpu' : planned.limit;
  return {
    seconds: drainSeconds + copySeconds + verifySeconds + overheadSeconds,
    drainSeconds,
    copySeconds,
    verifySeconds,
    overheadSeconds,
    limit: overheadSeconds > copySeconds ? 'records' : limit,
    items,
    bytes,
    dollars: planned.dollars,
    basis: 'measured',
  };
}

/**
 * A line through two measurements; where they lie so close together that chance decides, not less
 * than a third of the mean.
 */
function growing(all: number, items: number, ofFew: number, few: number, wanted: number): number {
  const mean = all / items;
  if (items - few < few) return mean * wanted;
  const each = Math.min(mean, Math.max((all - ofFew) / (items - few), mean / 3));
  return all + each * (wanted - items);
}

const sizeOf = (sizes: readonly PartCount[], name: string): PartCount | undefined =>
  sizes.find(({ part }) => part === name);

/**
 * A tenant's known size, from a count or from the move by which it arrived, and the refusals by
 * that size.
 */

import type { KeyValues } from '../domain/datasets/key-values.ts';
import {
  type KnownSize,
  type Measurement,
  type RangeSize,
  sizeOfMeasurement,
  sizeOfRanges,
} from '../domain/datasets/size.ts';
import type { Ahead, Facts } from '../domain/moving/migration.ts';
import { aheadRate } from '../domain/planning/copy-ahead.ts';
import { estimateOf, misfit } from '../domain/planning/window-fit.ts';
import { Fault } from '../domain/refusal.ts';
import { DAY_MS, HOUR_MS } from '../domain/time.ts';
import type { AppContext } from './app-context.ts';
import { movingRanges } from './phases/task-input.ts';

/** A count older than this is not used. */
const KNOWN = 30 * DAY_MS;
/** A count as young as this may refuse a tenant that is too large to be counted in a hook. */
const FRESH = HOUR_MS;
/** How long a hook counts, of the three seconds that it has. */
const COUNT_MS = 1_000;

/** The newer of both; `undefined` where nothing is known, or only an outdated size. */
export async function knownSize(
  { ports: { tenants, measurements, receipts, clock }, settings: { realm: here } }: AppContext,
  tenant: string,
): Promise<KnownSize | undefined> {
  const [measurement, record] = await Promise.all([
    measurements.read(here, tenant),
    tenants.read(here, tenant),
  ]);
  const { arrivedBy } = record ?? {};
  const receipt = arrivedBy && (await receipts.read(here, tenant, arrivedBy));
  const known = [
    measurement && sizeOfMeasurement(measurement),
    receipt ? { at: receipt.at, parts: receipt.checksums } : undefined,
  ];
  return known
    .filter((size) => size !== undefined)
    .filter((size) => Date.parse(size.at) > clock.now() - KNOWN)
    .sort((one, other) => (one.at < other.at ? 1 : -1))[0];
}

/**
 * Why the window is too short. Items may have been deleted since the last count, so the tenant is
 * counted again before it is refused, for as long as a hook can wait. A whole count decides; an
 * unfinished one refuses where it is too much already; otherwise a young count decides. Where the
 * size is unknown, the move is accepted, and the tenant is counted once more before its window.
 */
export async function misfitNow(
  context: AppContext,
  values: KeyValues,
  facts: Facts,
  ahead?: Ahead,
): Promise<string | undefined> {
  const { ports, settings } = context;
  const { parts, drainSeconds } = settings;
  const known = await knownSize(context, values.tenant);
  const misfitOf = (size: KnownSize) => {
    const now = ports.clock.now();
    const isAhead = ahead?.finishedAt !== undefined || mayCopyAhead(context, size, facts, now);
    return misfit(size, parts, facts, drainSeconds, now, isAhead);
  };
  const suspicion = known && misfitOf(known);
  if (known === undefined || suspicion === undefined) return undefined;
  const counted = await countedNow(context, values);
  const reason = counted && misfitOf(counted.size);
  if (reason !== undefined || counted?.isWhole) return reason;
  return Date.parse(known.at) > ports.clock.now() - FRESH ? suspicion : undefined;
}

/**
 * Whether there is time to copy the tenant ahead before its window begins, at the rate that this
 * may have.
 */
export function mayCopyAhead(
  { settings: { parts, copyAhead } }: Pick<AppContext, 'settings'>,
  size: KnownSize,
  facts: Facts,
  now: number,
): boolean {
  if (copyAhead === undefined) return false;
  const { bounds } = estimateOf(size, parts);
  // At full speed the hottest key limits a copy by 1,000 write units a second.
  const seconds = bounds.partition * (1_000 / aheadRate(copyAhead, undefined));
  const begins = Math.max(now, Date.parse(facts.startTime) - copyAhead.hoursBefore * HOUR_MS);
  return begins + seconds * 1_000 < Date.parse(facts.startTime);
}

/**
 * All ranges at once; a whole count replaces the one on record. `undefined` where the store gives
 * no answer.
 */
async function countedNow(
  { ports, settings: { realm, parts } }: AppContext,
  values: KeyValues,
): Promise<{ readonly size: KnownSize; readonly isWhole: boolean } | undefined> {
  const { measurements, partKind, clock, log } = ports;
  const begunAt = new Date(clock.now()).toISOString();
  const until = clock.now() + COUNT_MS;
  try {
    const sizes = await Promise.all(
      movingRanges(parts, values).map(
        async (range): Promise<[string, RangeSize]> => [
          range.id,
          await partKind.size(range, realm, until),
        ],
      ),
    );
    const counted: Measurement = { begunAt, ranges: Object.fromEntries(sizes) };
    const isWhole = sizes.every(([, { complete }]) => complete);
    if (isWhole) {
      const finishedAt = new Date(clock.now()).toISOString();
      await measurements.write(realm, values.tenant, { ...counted, finishedAt });
    }
    return { size: sizeOfRanges(counted), isWhole };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    log.warn(`the tenant cannot be counted: ${error.message}`, { clientKey: values.tenant });
    return undefined;
  }
}

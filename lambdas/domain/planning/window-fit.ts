/**
 * Decides whether a tenant of known size fits into its window, by the shortest time that its move
 * can take.
 */

import { type Part, rangesPerTenant } from '../datasets/dataset.ts';
import { type KnownSize, wholeOf } from '../datasets/size.ts';
import { type Facts, windowReserve } from '../moving/migration.ts';
import { type Estimate, estimate } from './estimate.ts';
import { isOfObjects, withObjects } from './objects.ts';
import { withScans } from './scans.ts';

/** The estimate for the parts that move, each with its measured share of all items. */
export function estimateOf(size: KnownSize, parts: readonly Part[]): Estimate {
  const moving = parts.filter((part) => part.policy === 'move' && !isOfObjects(part));
  const weights = moving.map(({ name }) => {
    const { items = 0, bytes = 0 } = size.parts[name] ?? {};
    return Math.max(items, bytes / 1024);
  });
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const tables = moving.map(({ name }) => size.parts[name] ?? { items: 0, bytes: 0 });
  const items = tables.reduce((sum, part) => sum + part.items, 0);
  const bytes = tables.reduce((sum, part) => sum + part.bytes, 0);
  const loads = moving.map((part, at) => ({
    shards: rangesPerTenant(part),
    ...(all > 0 && { share: (weights[at] ?? 0) / all }),
  }));
  return withObjects(withScans(estimate(items, bytes, loads), parts), parts, size.parts);
}

/**
 * Seconds that a tenant is fenced who was copied ahead: both sides are read to make them equal, and
 * again to verify it.
 */
export const fenceAfterAhead = ({
  equalSeconds,
  verifySeconds,
}: Pick<Estimate, 'equalSeconds' | 'verifySeconds'>): number => equalSeconds + verifySeconds;

/**
 * A sentence that says why it cannot be done in time; `undefined` where it can, as far as is known.
 * `isAhead`: the tenant is, or will be, copied ahead of the window.
 */
export function misfit(
  size: KnownSize,
  parts: readonly Part[],
  facts: Facts,
  drainSeconds: number,
  now: number,
  isAhead = false,
): string | undefined {
  const begins = Math.max(now, Date.parse(facts.startTime));
  const seconds = (Date.parse(facts.endTime) - begins - windowReserve({ facts })) / 1000;
  const expected = estimateOf(size, parts);
  const limit = isAhead ? 'reading' : expected.limit;
  const needed = drainSeconds + (isAhead ? fenceAfterAhead(expected) : expected.seconds);
  if (needed <= seconds) return undefined;
  const { items, bytes } = wholeOf(size);
  return `${items} items, ${bytes} bytes take at least ${minutes(needed)}, limited by ${limit}, and the window leaves ${minutes(Math.max(0, seconds))}`;
}

const minutes = (seconds: number): string => `${Math.round(seconds / 6) / 10} minutes`;

/**
 * Decides whether a tenant of known size fits into its window, by the shortest time that its move
 * can take.
 */

import { keysPerTenant, type Part } from '../datasets/dataset.ts';
import { type KnownSize, wholeOf } from '../datasets/size.ts';
import { type Facts, windowReserve } from '../moving/migration.ts';
import { type Estimate, estimate } from './estimate.ts';

/** The estimate for the parts that move, each with its measured share of all items. */
export function estimateOf(size: KnownSize, parts: readonly Part[]): Estimate {
  const moving = parts.filter(({ policy }) => policy === 'move');
  const weights = moving.map(({ name }) => {
    const { items = 0, bytes = 0 } = size.parts[name] ?? {};
    return Math.max(items, bytes / 1024);
  });
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const { items, bytes } = wholeOf(size);
  const loads = moving.map((part, at) => ({
    shards: keysPerTenant(part),
    ...(all > 0 && { share: (weights[at] ?? 0) / all }),
  }));
  return estimate(items, bytes, loads);
}

/**
 * A sentence that says why the move cannot be done in time; `undefined` where it can, or where that
 * is not known.
 */
export function misfit(
  size: KnownSize,
  parts: readonly Part[],
  facts: Facts,
  drainSeconds: number,
  now: number,
): string | undefined {
  const begins = Math.max(now, Date.parse(facts.startTime));
  const seconds = (Date.parse(facts.endTime) - begins - windowReserve({ facts })) / 1000;
  const { seconds: copying, limit } = estimateOf(size, parts);
  const needed = drainSeconds + copying;
  if (needed <= seconds) return undefined;
  const { items, bytes } = wholeOf(size);
  return `${items} items, ${bytes} bytes take at least ${minutes(needed)}, limited by ${limit}, and the window leaves ${minutes(Math.max(0, seconds))}`;
}

const minutes = (seconds: number): string => `${Math.round(seconds / 6) / 10} minutes`;

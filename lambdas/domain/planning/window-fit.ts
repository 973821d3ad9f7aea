/** Whether a tenant of known size can be moved within its window at all: by the least that the move takes. */
import type { Part } from '../datasets/dataset.ts';
import { type KnownSize, wholeOf } from '../datasets/size.ts';
import { type Facts, windowReserve } from '../moving/migration.ts';
import { type Estimate, estimate } from './estimate.ts';

/** Of the parts that move, each with its share of everything, as it was measured. */
export function estimateOf(size: KnownSize, parts: readonly Part[]): Estimate {
  const moving = parts.filter(({ policy }) => policy === 'move');
  const weights = moving.map(({ name }) => {
    const { items = 0, bytes = 0 } = size.parts[name] ?? {};
    return Math.max(items, bytes / 1024);
  });
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const { items, bytes } = wholeOf(size);
  const loads = moving.map(({ shards }, at) => ({
    ...(shards !== undefined && { shards }),
    ...(all > 0 && { share: (weights[at] ?? 0) / all }),
  }));
  return estimate(items, bytes, loads);
}

/** A sentence that says why it cannot be done in time; `undefined` where it can, as far as anybody knows. */
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

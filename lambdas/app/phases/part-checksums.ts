/** Checksums of parts: sums over a part's ranges, by which the whole part is recognised later. */
import { type Part, rangeIdsOf } from '../../domain/datasets/dataset.ts';
import { hexOf, plus, type Sum, total } from '../../domain/datasets/digest.ts';
import type { KeyValues } from '../../domain/datasets/key-values.ts';
import type { PartChecksum } from '../../domain/moving/migration.ts';
import type { RangeRecord } from '../../domain/moving/range-record.ts';

const NOTHING: Sum = { count: 0, sum: 0n };

/** From the source side of verified ranges. */
export function partChecksums(
  parts: readonly Part[],
  values: KeyValues,
  records: readonly RangeRecord[],
): Readonly<Record<string, PartChecksum>> {
  const moving = parts.filter(({ policy }) => policy === 'move');
  return Object.fromEntries(moving.map((part) => [part.name, checksumOf(part, values, records)]));
}

function checksumOf(part: Part, values: KeyValues, records: readonly RangeRecord[]): PartChecksum {
  const ids = new Set(rangeIdsOf([part], values));
  const digests = records.flatMap(({ range, source }) =>
    ids.has(range) && source ? [source.digest] : [],
  );
  const all = digests.map(total).reduce(plus, NOTHING);
  const lasting = digests.map((digest) => digest.lasting).reduce(plus, NOTHING);
  return {
    items: all.count,
    bytes: digests.reduce((sum, { bytes }) => sum + bytes, 0),
    sum: hexOf(all.sum),
    lastingItems: lasting.count,
    lastingSum: hexOf(lasting.sum),
  };
}

/** The parts whose lasting items have changed. */
export function brokenChecksums(
  recorded: Readonly<Record<string, PartChecksum>>,
  found: Readonly<Record<string, PartChecksum>>,
): readonly string[] {
  const names = new Set([...Object.keys(recorded), ...Object.keys(found)]);
  return [...names].filter(
    (name) =>
      recorded[name]?.lastingItems !== found[name]?.lastingItems ||
      recorded[name]?.lastingSum !== found[name]?.lastingSum,
  );
}

/**
 * Items that each part held before it was purged: the verified ones, or the deleted ones, which
 * include expired items and caches, and after a crash only those that were left.
 */
export function heldBy(
  parts: readonly Part[],
  values: KeyValues,
  checksums: Readonly<Record<string, PartChecksum>>,
  records: readonly RangeRecord[],
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    parts.map((part) => {
      const ids = new Set(rangeIdsOf([part], values));
      const purged = records.filter(({ range, work }) => ids.has(range) && work === 'purge-source');
      const deleted = purged.reduce((sum, { source }) => sum + (source?.changed ?? 0), 0);
      return [part.name, Math.max(checksums[part.name]?.items ?? 0, deleted)];
    }),
  );
}

/** The sums over a part's ranges, by which a whole part is recognised later. */
import { type Part, rangesOf } from '../../domain/datasets/dataset.ts';
import { type Bucket, hexOf, plus, total } from '../../domain/datasets/digest.ts';
import type { PartSeal } from '../../domain/moving/migration.ts';
import type { RangeRecord } from '../../domain/moving/range-record.ts';

const NOTHING: Bucket = { count: 0, sum: 0n };

/** Of the source side of verified ranges. */
export function sealsOf(
  parts: readonly Part[],
  tenant: string,
  records: readonly RangeRecord[],
): Readonly<Record<string, PartSeal>> {
  const moving = parts.filter(({ policy }) => policy === 'move');
  return Object.fromEntries(moving.map((part) => [part.name, sealOf(part, tenant, records)]));
}

function sealOf(part: Part, tenant: string, records: readonly RangeRecord[]): PartSeal {
  const ids = new Set(rangesOf([part], tenant).map(({ id }) => id));
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

/** The parts whose lasting items are not what they were. */
export function brokenSeals(
  recorded: Readonly<Record<string, PartSeal>>,
  found: Readonly<Record<string, PartSeal>>,
): readonly string[] {
  const names = new Set([...Object.keys(recorded), ...Object.keys(found)]);
  return [...names].filter(
    (name) =>
      recorded[name]?.lastingItems !== found[name]?.lastingItems ||
      recorded[name]?.lastingSum !== found[name]?.lastingSum,
  );
}

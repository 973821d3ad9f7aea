/**
 * An estimate of how much of a range lies between two of its keys. It decides about effort, never
 * about correctness.
 */
import type { DynamoDbPart } from '../../domain/datasets/dataset.ts';
import { type AnyItem, cursorOf } from './item-key.ts';

/**
 * How many times as much lies between `front` and `back` as between `beginning` and `front`, if the
 * keys are spread evenly. Infinite where nothing can be said.
 */
export function shareBetween(
  part: DynamoDbPart,
  beginning: AnyItem | undefined,
  front: AnyItem | undefined,
  back: AnyItem | undefined,
): number {
  if (beginning === undefined || front === undefined || back === undefined)
    return Number.POSITIVE_INFINITY;
  const keys = [beginning, front, back].map((item) => cursorOf(part, item));
  const [start = 0, middle = 0, end = 0] =
    part.sortKey?.type === 'N' ? keys.map(Number) : positions(keys);
  const share = (end - middle) / (middle - start);
  return Number.isFinite(share) ? share : Number.POSITIVE_INFINITY;
}

/**
 * As numbers, from the first character in which they differ: decimal or hexadecimal ones if they
 * look so.
 */
function positions(keys: readonly string[]): readonly number[] {
  const [first = '', ...others] = keys;
  let prefix = 0;
  while (prefix < first.length && others.every((key) => key[prefix] === first[prefix])) prefix += 1;
  const rests = keys.map((key) => key.slice(prefix).replaceAll('-', ''));
  const digits = Math.min(12, ...rests.map((rest) => rest.length));
  const heads = rests.map((rest) => rest.slice(0, digits));
  if (heads.every((head) => /^\d+$/.test(head))) return heads.map(Number);
  if (heads.every((head) => /^[\da-f]+$/i.test(head)))
    return heads.map((head) => Number.parseInt(head, 16));
  return rests.map((rest) => Buffer.concat([Buffer.from(rest), Buffer.alloc(6)]).readUIntBE(0, 6));
}

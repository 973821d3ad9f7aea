/** Tables that are scanned may not be larger than declared: the scans of a move would not end. */
import type { Realm } from '../realm.ts';
import type { DynamoDbPart } from './dataset.ts';

/**
 * A sentence; `undefined` where the table is as small as declared, or is not scanned. `bytes` are
 * those that DynamoDB counts every six hours.
 */
export function sayTooLarge(
  { name, discover }: DynamoDbPart,
  realm: Realm,
  bytes: number,
): string | undefined {
  const size = bytes / 1e9;
  if (discover === undefined || size <= discover.largestTableGB) return undefined;
  return `part ${name} in ${realm}: its table has ${size.toFixed(1)} GB, and largestTableGB is ${discover.largestTableGB}`;
}

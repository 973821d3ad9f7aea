/**
 * Tables whose partition key is an entity's id: how a tenant's items are found in them, and in how
 * many shares they are scanned.
 */

import type { Realm } from '../realm.ts';
import type { DynamoDbPart } from './dataset.ts';

interface Scanned {
  /** The largest table, in GB: the planner reckons with it, and a larger one is an obstacle. */
  readonly largestTableGB: number;
  /** Shares of the table that are worked on apart; without it, one for each GB. */
  readonly segments?: number;
}

/** An attribute of type S that every item of a tenant has, with the text that `key` makes. */
export interface ByAttribute extends Scanned {
  readonly by: 'scan';
  readonly attribute: string;
  readonly prefix?: never;
}

/**
 * The partition keys begin with the tenant's value: a template such as `{tenant}#`. What follows
 * the placeholder begins with a character that no tenant's value has.
 */
export interface ByPrefix extends Scanned {
  readonly by: 'scan';
  readonly prefix: string;
  readonly attribute?: never;
}

/**
 * As `ByAttribute`; the copy finds its keys by this index, whose partition key is the attribute.
 * Everything that proves something scans the table, because an index is read with delay.
 */
export interface ByIndex extends Scanned {
  readonly by: 'index';
  readonly index: string;
  readonly attribute: string;
  readonly prefix?: never;
}

export type Discovery = ByAttribute | ByPrefix | ByIndex;

/**
 * A share of a table, from 0 on. The shares of two tables are not alike: DynamoDB does not promise
 * that an item is in the same one.
 */
export interface Segment {
  readonly at: number;
  readonly of: number;
}

/** Into how many ranges the table is shared out, for each value of the tenant. */
export const segmentsOf = ({ segments, largestTableGB }: Scanned): number =>
  segments ?? Math.max(1, Math.ceil(largestTableGB));

/**
 * Whether one step of the workflow, which lasts 60 seconds, can scan all of it. Where it cannot,
 * the workers prove that each segment is empty.
 */
export const isScannedAtOnce = (discover: Discovery | undefined): boolean =>
  discover === undefined || segmentsOf(discover) === 1;

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

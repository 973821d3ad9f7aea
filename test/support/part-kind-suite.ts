/** What the contract of part kinds is written with: a host, two realms, and items. */
import type { Item } from '../../lambdas/adapters/dataset/item-key.ts';
import type { DynamoDbPart, Range } from '../../lambdas/domain/datasets/dataset.ts';
import type { Digest } from '../../lambdas/domain/datasets/digest.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import type { Checkpoint, Clock, Horizon, PartKind } from '../../lambdas/ports.ts';

export interface PartKindHost {
  /** The sort key that a cursor names; it is the cursor where this is left out. */
  readonly keyOf?: (cursor: string) => string;
  readonly kind: PartKind;
  put(realm: Realm, part: string, items: readonly Item[]): Promise<void>;
  /** In the order of the keys. */
  read(realm: Realm, part: string, partition: string): Promise<readonly Item[]>;
  close(): Promise<void>;
}

export interface PartKindHostOptions {
  readonly parts: readonly DynamoDbPart[];
  readonly realms: readonly Realm[];
  readonly clock: Clock;
  readonly pageItems: number;
  readonly scansAtOnce?: number;
}

const table = { kind: 'dynamodb', policy: 'move', partitionKey: 'tenant' } as const;
export const PARTS: readonly DynamoDbPart[] = [
  { ...table, name: 'notes', sortKey: { name: 'id', type: 'S' }, ttlAttribute: 'expiresAt' },
  { ...table, name: 'counters', sortKey: { name: 'number', type: 'N' } },
  { ...table, name: 'blobs', sortKey: { name: 'bytes', type: 'B' } },
];

export const NOW: Horizon = { asOf: 1_800_000_000, lastingUntil: 1_800_001_000 };
export const FOREVER = Number.POSITIVE_INFINITY;
export const clock: Clock = { now: () => NOW.asOf * 1000 };

export const bytes = (...values: readonly number[]): Uint8Array => new Uint8Array(values);
export const note = (tenant: string, id: string, attributes: Item = {}): Item => ({
  tenant: { S: tenant },
  id: { S: id },
  ...attributes,
});
export const notes = (tenant: string, count: number): readonly Item[] =>
  Array.from({ length: count }, (_, index) =>
    note(tenant, `note-${String(index).padStart(2, '0')}`, { text: { S: `text ${index}` } }),
  );
/** The text of a Number: this many seconds after now, or before it. */
export const inSeconds = (seconds: number) => ({ N: String(NOW.asOf + seconds) });
/** Values of an expiry attribute for which DynamoDB removes nothing. Names are sort keys. */
export const KEPT_FOR_EVER: Readonly<Record<string, Item[string]>> = {
  'a text of a time that is over': { S: String(NOW.asOf - 1) },
  'a text of digits': { S: '1' },
  'five years ago': inSeconds(-5 * 366 * 86_400 - 1),
  'long ago': { N: '1' },
  milliseconds: { N: String((NOW.asOf - 1) * 1000) },
  negative: { N: '-1' },
  'set of numbers': { NS: [String(NOW.asOf - 1)] },
  truth: { BOOL: true },
  zero: { N: '0' },
};
export const rangeOf = (part: string, partition: string): Range => ({
  id: `${part}/00`,
  part,
  partition,
});

export async function all<T>(elements: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const element of elements) found.push(element);
  return found;
}

export async function last(checkpoints: AsyncIterable<Checkpoint>): Promise<Checkpoint> {
  const checkpoint = (await all(checkpoints)).at(-1);
  if (checkpoint === undefined) throw new Error('it yielded no checkpoint');
  return checkpoint;
}

/** Runs it in as many turns as it takes; each turn ends as soon as it has begun. */
export async function inTurns(
  turn: (from: Checkpoint | undefined) => AsyncIterable<Checkpoint>,
): Promise<readonly Checkpoint[]> {
  const ends: Checkpoint[] = [];
  while (!ends.at(-1)?.done) ends.push(await last(turn(ends.at(-1))));
  return ends;
}

/**
 * One run of the contract. Its host exists once the tests run, not while they are being defined.
 */
export interface PartKindSuite {
  /** A range has an order, and its pages hold nothing of other ranges. */
  readonly isOrdered: boolean;
  /** Control characters may be in keys. */
  readonly takesAnyKey: boolean;
  /** The store keeps every type of an attribute, and tells what a read has consumed. */
  readonly isExact: boolean;
  /** It stores items: with keys of three types, and with an expiry. */
  readonly isOfItems: boolean;
  readonly host: PartKindHost;
  readonly kind: PartKind;
  newTenant(): string;
  /** The sort key, of type S, that a cursor names. */
  keyOf(cursor: string): string;
  digestOf(range: Range, realm: Realm): Promise<Digest>;
  copyAll(range: Range): Promise<Checkpoint>;
  restoreAll(range: Range): Promise<Checkpoint>;
}

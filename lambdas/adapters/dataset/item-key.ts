/** The key of an item: as a key, as a cursor, in DynamoDB's order, and as text for people. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart } from '../../domain/datasets/dataset.ts';
import { PermanentError } from '../../domain/refusal.ts';

export type Item = Readonly<Record<string, AttributeValue>>;

/** A value as it travels: as in the SDK, but bytes are base64 text. */
export interface WireValue {
  readonly S?: string;
  readonly N?: string;
  readonly B?: string;
  readonly BOOL?: boolean;
  readonly NULL?: boolean;
  readonly M?: WireItem;
  readonly L?: readonly WireValue[];
  readonly SS?: readonly string[];
  readonly NS?: readonly string[];
  readonly BS?: readonly string[];
}
export type WireItem = Readonly<Record<string, WireValue>>;
export type AnyItem = Item | WireItem;
export type AnyValue = AttributeValue | WireValue;

export const base64 = (bytes: Uint8Array | string): string =>
  typeof bytes === 'string'
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** The partition key of a range as DynamoDB has it: its text, the digits of a number, or bytes. */
export function partitionValue({ keyType = 'S' }: DynamoDbPart, partition: string): AttributeValue {
  if (keyType === 'B') return { B: new Uint8Array(Buffer.from(partition, 'base64')) };
  return keyType === 'N' ? { N: partition } : { S: partition };
}

/**
 * The partition key of an item, as a range has it; `undefined` where the item has none of the
 * declared type.
 */
export function partitionIn(part: DynamoDbPart, item: AnyItem): string | undefined {
  const { keyType = 'S', partitionKey } = part;
  const value = item[partitionKey];
  return keyType === 'B' ? value?.B && base64(value.B) : value?.[keyType];
}

/** The key attributes alone. */
export function keyOf(part: DynamoDbPart, item: AnyItem): WireItem {
  const { partitionKey, keyType = 'S', sortKey } = part;
  const partition = partitionIn(part, item);
  if (partition === undefined) throw mismatch(part);
  return {
    [partitionKey]: { [keyType]: partition },
    ...(sortKey !== undefined && { [sortKey.name]: { [sortKey.type]: cursorOf(part, item) } }),
  };
}

/** The position after the one item that is under a key without a sort key. */
const AFTER_THE_ONLY_ITEM = 'the only item';

/**
 * The position after this item: its sort key as text (binary as base64). The partition is known
 * from the range.
 */
export function cursorOf(part: DynamoDbPart, item: AnyItem): string {
  const { sortKey } = part;
  if (sortKey === undefined) return AFTER_THE_ONLY_ITEM;
  const value = item[sortKey.name];
  const text = sortKey.type === 'B' ? value?.B && base64(value.B) : value?.[sortKey.type];
  if (text === undefined) throw mismatch(part);
  return text;
}

/** Tells the items of a range apart: the sort key, or the whole key where a range has several. */
export const identityOf = (part: DynamoDbPart, item: AnyItem): string =>
  part.discover === undefined
    ? cursorOf(part, item)
    : JSON.stringify([partitionIn(part, item), part.sortKey && cursorOf(part, item)]);

/** The key after which a reader with this cursor goes on. The item itself may be gone. */
export function startKey(
  part: DynamoDbPart,
  partition: string,
  cursor: string,
): Record<string, AttributeValue> {
  const { partitionKey, sortKey } = part;
  return {
    [partitionKey]: partitionValue(part, partition),
    ...(sortKey !== undefined && { [sortKey.name]: sortValue(sortKey, cursor) }),
  };
}

/** The sort key as one line of text. The range that it belongs to names the partition. */
export const printableKey = (part: DynamoDbPart, item: AnyItem): string =>
  identityOf(part, item).replace(/[\p{C}\p{Z}]/gu, (character) =>
    character === ' ' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );

/** Negative, zero or positive, in the order in which a Query returns the items of one partition. */
export function compareKeys(part: DynamoDbPart, one: AnyItem, other: AnyItem): number {
  const [a, b] = [cursorOf(part, one), cursorOf(part, other)];
  if (part.sortKey?.type === 'N') return compareNumbers(a, b);
  // Both by unsigned bytes; comparing JavaScript strings would put U+FF5E before an emoji's
  // surrogates.
  const encoding = part.sortKey?.type === 'B' ? 'base64' : 'utf8';
  return Buffer.compare(Buffer.from(a, encoding), Buffer.from(b, encoding));
}

function compareNumbers(one: string, other: string): number {
  const [a, b] = [scaled(one), scaled(other)];
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** DynamoDB numbers have 38 digits and reach down to 1E-130, so times 10^168 they are all whole. */
const SCALE = 168;

function scaled(number: string): bigint {
  const [, sign, whole, fraction = '', exponent = '0'] =
    /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  if (whole === undefined) throw new Error('a numeric sort key is not a number');
  const digits = BigInt(`${whole}${fraction}`);
  const magnitude = digits * 10n ** BigInt(SCALE + Number(exponent) - fraction.length);
  return sign === '-' ? -magnitude : magnitude;
}

function sortValue(sortKey: NonNullable<DynamoDbPart['sortKey']>, cursor: string): AttributeValue {
  if (sortKey.type === 'B') return { B: new Uint8Array(Buffer.from(cursor, 'base64')) };
  return sortKey.type === 'N' ? { N: cursor } : { S: cursor };
}

/** Throws where a key that DynamoDB answers with has other attributes than are declared. */
export function checkKey(part: DynamoDbPart, key: AnyItem): void {
  const declared = [part.partitionKey, ...(part.sortKey === undefined ? [] : [part.sortKey.name])];
  if (Object.keys(key).sort().join() !== declared.sort().join()) throw mismatch(part);
}

const mismatch = ({ name, partitionKey, keyType = 'S', sortKey }: DynamoDbPart): Error =>
  new PermanentError(
    `part "${name}": its table does not have the declared keys ${partitionKey} (${keyType})${sortKey === undefined ? ' alone' : ` and ${sortKey.name} (${sortKey.type})`}`,
  );

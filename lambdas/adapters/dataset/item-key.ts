/** The key of an item: as a key, as a cursor, in DynamoDB's order, and for people to read. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart } from '../../domain/datasets/dataset.ts';

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

/** The key attributes alone. */
export function keyOf(part: DynamoDbPart, item: AnyItem): WireItem {
  const { partitionKey, sortKey } = part;
  const partition = item[partitionKey]?.S;
  if (partition === undefined) throw mismatch(part);
  return {
    [partitionKey]: { S: partition },
    [sortKey.name]: { [sortKey.type]: cursorOf(part, item) },
  };
}

/** The position after this item: its sort key as text (binary as base64). The partition is known from the range. */
export function cursorOf(part: DynamoDbPart, item: AnyItem): string {
  const value = item[part.sortKey.name];
  const text = part.sortKey.type === 'B' ? value?.B && base64(value.B) : value?.[part.sortKey.type];
  if (text === undefined) throw mismatch(part);
  return text;
}

/** The key after which a reader with this cursor goes on. The item itself may be gone. */
export function startKey(
  part: DynamoDbPart,
  partition: string,
  cursor: string,
): Record<string, AttributeValue> {
  return { [part.partitionKey]: { S: partition }, [part.sortKey.name]: sortValue(part, cursor) };
}

/** The sort key as one line of text. The range that it belongs to names the partition. */
export const printableKey = (part: DynamoDbPart, item: AnyItem): string =>
  cursorOf(part, item).replace(/[\p{C}\p{Z}]/gu, (character) =>
    character === ' ' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );

/** Negative, zero or positive, in the order in which a Query returns the items of one partition. */
export function compareKeys(part: DynamoDbPart, one: AnyItem, other: AnyItem): number {
  const [a, b] = [cursorOf(part, one), cursorOf(part, other)];
  if (part.sortKey.type === 'N') return compareNumbers(a, b);
  // Both by unsigned bytes; comparing JavaScript strings would put U+FF5E before an emoji's surrogates.
  const encoding = part.sortKey.type === 'B' ? 'base64' : 'utf8';
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

function sortValue({ sortKey }: DynamoDbPart, cursor: string): AttributeValue {
  if (sortKey.type === 'B') return { B: new Uint8Array(Buffer.from(cursor, 'base64')) };
  return sortKey.type === 'N' ? { N: cursor } : { S: cursor };
}

const mismatch = (part: DynamoDbPart): Error =>
  new Error(
    `part "${part.name}": its table does not have the declared keys ${part.partitionKey} and ${part.sortKey.name}`,
  );

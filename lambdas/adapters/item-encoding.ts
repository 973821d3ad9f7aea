/** What one DynamoDB item comes to: its canonical encoding, and the digest, size and expiry that follow from it. */
import { hash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart } from '../domain/dataset.ts';
import type { ItemDigest } from '../domain/digest.ts';
import { PermanentError } from '../domain/refusal.ts';
import type { Horizon } from '../ports.ts';
import { type Item, keyOf } from './item-key.ts';

/**
 * Two items are equal exactly when their encodings are: every value carries its type and its length, and what DynamoDB
 * keeps in no order (attributes, sets) is sorted. Numbers stand as DynamoDB returns them, which is canonical already.
 */
export function encodeItem(item: Item): string {
  const names = Object.keys(item).sort();
  return `M${names.length}:${names.map((name) => prefixed(name) + encodeValue(item[name])).join('')}`;
}

export function itemDigest(part: DynamoDbPart, item: Item, horizon: Horizon): ItemDigest {
  const expiry = expiryOf(part, item);
  return {
    bucket: Number.parseInt(hash('sha256', encodeItem(keyOf(part, item)), 'hex').slice(0, 2), 16),
    hash: BigInt(`0x${hash('sha256', encodeItem(item), 'hex')}`),
    bytes: sizeOfItem(item),
    lasting: expiry === undefined || expiry > horizon.lastingUntil,
  };
}

/** An expired item counts as absent, whether or not DynamoDB has removed it yet. */
export function isLive(part: DynamoDbPart, item: Item, horizon: Horizon): boolean {
  const expiry = expiryOf(part, item);
  return expiry === undefined || expiry > horizon.asOf;
}

/** Like DynamoDB, looks at attributes of type Number only: an item with any other "expiry" stays for ever. */
function expiryOf({ ttlAttribute }: DynamoDbPart, item: Item): number | undefined {
  const text = ttlAttribute === undefined ? undefined : item[ttlAttribute]?.N;
  return text === undefined ? undefined : Number(text);
}

const prefixed = (text: string): string => `${text.length}:${text}`;
const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
const encodeSet = (tag: string, members: readonly string[]): string =>
  `${tag}${members.length}:${[...members].sort().map(prefixed).join('')}`;

function encodeValue(value: AttributeValue | undefined): string {
  if (value?.S !== undefined) return `S${prefixed(value.S)}`;
  if (value?.N !== undefined) return `N${prefixed(value.N)}`;
  if (value?.B !== undefined) return `B${prefixed(base64(value.B))}`;
  if (value?.BOOL !== undefined) return value.BOOL ? 'T' : 'F';
  if (value?.NULL !== undefined) return '0';
  if (value?.M !== undefined) return encodeItem(value.M);
  if (value?.L !== undefined) return `L${value.L.length}:${value.L.map(encodeValue).join('')}`;
  if (value?.SS !== undefined) return encodeSet('s', value.SS);
  if (value?.NS !== undefined) return encodeSet('n', value.NS);
  if (value?.BS !== undefined) return encodeSet('b', value.BS.map(base64));
  throw new PermanentError('an item has an attribute of a type that this version cannot copy');
}

/** By DynamoDB's published rules; numbers, whose rule is approximate there, to within a byte or two. */
export function sizeOfItem(item: Item): number {
  let size = 0;
  for (const [name, value] of Object.entries(item)) size += Buffer.byteLength(name) + sizeOf(value);
  return size;
}

const sum = <T>(members: readonly T[], size: (member: T) => number): number =>
  members.reduce((total, member) => total + size(member), 0);
const sizeOfNumber = (text: string): number =>
  Math.ceil(text.replace(/^-?0*\.?0*|0+$|\./g, '').length / 2) + 1;

function sizeOf(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return sizeOfNumber(value.N);
  if (value.B !== undefined) return value.B.byteLength;
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + sizeOfItem(value.M);
  if (value.L !== undefined) return 3 + sum(value.L, (member) => 1 + sizeOf(member));
  if (value.SS !== undefined) return sum(value.SS, (member) => Buffer.byteLength(member));
  if (value.NS !== undefined) return sum(value.NS, sizeOfNumber);
  if (value.BS !== undefined) return sum(value.BS, (member) => member.byteLength);
  return 1;
}

/**
 * The canonical encoding of a DynamoDB item, and the digest, size and expiry that follow from it.
 */
import { hash } from 'node:crypto';
import type { DynamoDbPart } from '../../domain/datasets/dataset.ts';
import type { ItemDigest } from '../../domain/datasets/digest.ts';
import { isExpired, isLasting } from '../../domain/datasets/expiry.ts';
import { PermanentError } from '../../domain/refusal.ts';
import type { Horizon } from '../../ports.ts';
import { type AnyItem, type AnyValue, base64 } from './item-key.ts';

/**
 * Two items are equal exactly when their encodings are: every value carries its type and its
 * length, and what DynamoDB keeps in no order (attributes, sets) is sorted. Numbers stand as
 * DynamoDB returns them, which is canonical already.
 */
export function encodeItem(item: AnyItem): string {
  const names = Object.keys(item).sort();
  let text = `M${names.length}:`;
  for (const name of names) text += `${name.length}:${name}${encodeValue(item[name])}`;
  return text;
}

/** `encoding` is that of the item, where the caller has it already. */
export function itemDigest(
  part: DynamoDbPart,
  item: AnyItem,
  horizon: Horizon,
  encoding = encodeItem(item),
): ItemDigest {
  return {
    hash: hash('sha256', encoding, 'binary'),
    bytes: sizeOfItem(item),
    lasting: isLasting(expiryText(part, item), horizon),
  };
}

/** An expired item counts as absent, whether or not DynamoDB has removed it yet. */
export const isLive = (part: DynamoDbPart, item: AnyItem, horizon: Horizon): boolean =>
  !isExpired(expiryText(part, item), horizon.asOf);

/** The text of a Number only: DynamoDB ignores an expiry of any other type. */
const expiryText = ({ ttlAttribute }: DynamoDbPart, item: AnyItem): string | undefined =>
  ttlAttribute === undefined ? undefined : item[ttlAttribute]?.N;

const prefixed = (text: string): string => `${text.length}:${text}`;
function encodeSet(tag: string, members: readonly string[]): string {
  let text = `${tag}${members.length}:`;
  for (const member of members.toSorted()) text += prefixed(member);
  return text;
}

function encodeValue(value: AnyValue | undefined): string {
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

/**
 * By DynamoDB's published rules; numbers, whose rule is approximate there, to within a byte or two.
 */
export function sizeOfItem(item: AnyItem): number {
  let size = 0;
  for (const name of Object.keys(item)) size += Buffer.byteLength(name) + sizeOf(item[name]);
  return size;
}

const sum = <T>(members: readonly T[], size: (member: T) => number): number =>
  members.reduce((total, member) => total + size(member), 0);
const sizeOfBytes = (bytes: Uint8Array | string): number => Buffer.byteLength(bytes, 'base64');
/** One byte for two significant digits, and one more. */
function sizeOfNumber(text: string): number {
  let [digits, zeros] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === ZERO) zeros += digits > 0 ? 1 : 0;
    else if (character > ZERO && character <= NINE) {
      digits += zeros + 1;
      zeros = 0;
    }
  }
  return Math.ceil(digits / 2) + 1;
}
const [ZERO, NINE] = [0x30, 0x39];

function sizeOf(value: AnyValue | undefined): number {
  if (value === undefined) return 0;
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return sizeOfNumber(value.N);
  if (value.B !== undefined) return sizeOfBytes(value.B);
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + sizeOfItem(value.M);
  if (value.L !== undefined) return 3 + sum<AnyValue>(value.L, (member) => 1 + sizeOf(member));
  if (value.SS !== undefined) return sum(value.SS, (member) => Buffer.byteLength(member));
  if (value.NS !== undefined) return sum(value.NS, sizeOfNumber);
  if (value.BS !== undefined) return sum<Uint8Array | string>(value.BS, sizeOfBytes);
  return 1;
}

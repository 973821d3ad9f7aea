/** The canonical encoding: equal items, and only those, have equal encodings. */
import { isDeepStrictEqual } from 'node:util';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeItem, sizeOfItem } from '../../../lambdas/adapters/dataset/item-encoding.ts';
import {
  compareKeys,
  cursorOf,
  type Item,
  startKey,
} from '../../../lambdas/adapters/dataset/item-key.ts';
import type { DynamoDbPart } from '../../../lambdas/domain/datasets/dataset.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 5 }),
  fc.constantFrom('', '1', '1:', 'S1:1', 'é', '🦉'),
);
const number = fc.oneof(fc.integer().map(String), fc.constantFrom('0', '1', '-1', '0.1'));
const binary = fc.uint8Array({ maxLength: 4 });
const set = { minLength: 1, maxLength: 4 };
const attribute: fc.Arbitrary<AttributeValue> = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    text.map((S) => ({ S })),
    number.map((N) => ({ N })),
    binary.map((B) => ({ B })),
    fc.boolean().map((BOOL) => ({ BOOL })),
    fc.constant({ NULL: true }),
    fc.uniqueArray(text, set).map((SS) => ({ SS })),
    fc.uniqueArray(number, set).map((NS) => ({ NS })),
    fc.uniqueArray(binary, { ...set, selector: hex }).map((BS) => ({ BS })),
    fc.array(tie('value'), { maxLength: 3 }).map((L) => ({ L })),
    fc.dictionary(text, tie('value'), { maxKeys: 3 }).map((M) => ({ M })),
  ),
})).value;
const item: fc.Arbitrary<Item> = fc.dictionary(text, attribute, { maxKeys: 5 });

/** The same item in another order, wherever DynamoDB keeps none. */
const turned = (one: Item): Item =>
  Object.fromEntries(
    Object.entries(one)
      .reverse()
      .map(([name, value]) => [name, turnedValue(value)]),
  );
function turnedValue(value: AttributeValue): AttributeValue {
  if (value.SS) return { SS: [...value.SS].reverse() };
  if (value.NS) return { NS: [...value.NS].reverse() };
  if (value.BS) return { BS: [...value.BS].reverse() };
  if (value.M) return { M: { ...turned(value.M) } };
  if (value.L) return { L: value.L.map(turnedValue) };
  return value;
}

/** An independent definition of equality: sets as JavaScript sets, bytes as text. */
function plain(value: AttributeValue): unknown {
  if (value.SS) return { SS: new Set(value.SS) };
  if (value.NS) return { NS: new Set(value.NS) };
  if (value.BS) return { BS: new Set(value.BS.map(hex)) };
  if (value.B) return { B: hex(value.B) };
  if (value.L) return { L: value.L.map(plain) };
  if (value.M) return { M: plainItem(value.M) };
  return value;
}
const plainItem = (one: Item): Map<string, unknown> =>
  new Map(Object.entries(one).map(([name, value]) => [name, plain(value)]));

describe('the canonical encoding', () => {
  test('does not depend on the order of attributes and sets', () => {
    fc.assert(fc.property(item, (one) => encodeItem(turned(one)) === encodeItem(one)));
  });

  test('is the same for no two items that differ', () => {
    fc.assert(
      fc.property(
        item,
        item,
        (one, other) =>
          (encodeItem(one) === encodeItem(other)) ===
          isDeepStrictEqual(plainItem(one), plainItem(other)),
      ),
      { numRuns: 500 },
    );
  });

  test('changes with any attribute that comes, goes or changes', () => {
    fc.assert(
      fc.property(item, text, attribute, (one, name, value) => {
        const other = { ...one, [name]: value };
        return (
          (encodeItem(one) === encodeItem(other)) ===
          isDeepStrictEqual(plainItem(one), plainItem(other))
        );
      }),
      { numRuns: 500 },
    );
  });

  test('depends on the order of lists', () => {
    expect(encodeItem({ a: { L: [{ N: '1' }, { N: '2' }] } })).not.toBe(
      encodeItem({ a: { L: [{ N: '2' }, { N: '1' }] } }),
    );
  });

  test.each<[string, Item, Item]>([
    ['a string and a number', { a: { S: '1' } }, { a: { N: '1' } }],
    ['a string and bytes', { a: { S: 'AA==' } }, { a: { B: new Uint8Array(1) } }],
    ['a list and a set', { a: { L: [{ S: 'x' }] } }, { a: { SS: ['x'] } }],
    ['a set of strings and one of numbers', { a: { SS: ['1'] } }, { a: { NS: ['1'] } }],
    ['one member and two', { a: { SS: ['1:a1:b'] } }, { a: { SS: ['a', 'b'] } }],
    ['null and false', { a: { NULL: true } }, { a: { BOOL: false } }],
    ['an empty map and an empty list', { a: { M: {} } }, { a: { L: [] } }],
    ['a name and a value', { ab: { S: 'c' } }, { a: { S: 'bc' } }],
  ])('tells %s apart', (_, one, other) => {
    expect(encodeItem(one)).not.toBe(encodeItem(other));
  });
});

describe('an item', () => {
  const part = (type: 'S' | 'N' | 'B'): DynamoDbPart => ({
    kind: 'dynamodb',
    name: 'notes',
    policy: 'move',
    partitionKey: 'tenant',
    sortKey: { name: 'id', type },
  });

  test('is as large as DynamoDB says', () => {
    expect(
      sizeOfItem({
        id: { S: 'é' },
        n: { N: '-12.50' },
        b: { B: new Uint8Array(3) },
        ok: { BOOL: true },
      }),
    ).toBe(4 + 4 + 4 + 3);
    expect(
      sizeOfItem({ l: { L: [{ S: 'ab' }, { NULL: true }] }, m: { M: { k: { S: 'v' } } } }),
    ).toBe(9 + 7);
  });

  test('has a numeric key that is ordered by value', () => {
    const decimal = fc.tuple(
      fc.integer({ min: -9999, max: 9999 }),
      fc.integer({ min: -6, max: 6 }),
    );
    fc.assert(
      fc.property(decimal, decimal, ([a, x], [b, y]) => {
        const key = (digits: number, exponent: number): Item => ({
          id: { N: `${digits}E${exponent}` },
        });
        const expected = Math.sign(a * 10 ** (x + 6) - b * 10 ** (y + 6));
        return Math.sign(compareKeys(part('N'), key(a, x), key(b, y))) === expected;
      }),
    );
  });

  test('has a cursor from which its key can be made again', () => {
    const key = fc.oneof(
      text.map((S) => ({ S })),
      number.map((N) => ({ N })),
      binary.map((B) => ({ B })),
    );
    fc.assert(
      fc.property(key, (id) => {
        const type = (['S', 'N', 'B'] as const).find((name) => name in id) ?? 'S';
        const one: Item = { tenant: { S: 't' }, id };
        expect(startKey(part(type), 't', cursorOf(part(type), one))).toEqual(one);
      }),
    );
  });
});

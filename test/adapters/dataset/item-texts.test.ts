/**
 * Items are written as the text that was read: each text must be the whole text of its item, and
 * nothing else.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemTexts } from '../../../lambdas/adapters/dataset/item-texts.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom('', '"', '\\', '\\"', '\\\\', '"Items":[', '{}', ']', '}]', '\n', '🦉', '\ud800'),
);
const attribute: fc.Arbitrary<AttributeValue> = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    text.map((S) => ({ S })),
    fc.integer().map((N) => ({ N: String(N) })),
    fc.boolean().map((BOOL) => ({ BOOL })),
    fc.uniqueArray(text, { minLength: 1, maxLength: 4 }).map((SS) => ({ SS })),
    fc.array(tie('value'), { maxLength: 3 }).map((L) => ({ L })),
    fc.dictionary(text, tie('value'), { maxKeys: 3 }).map((M) => ({ M })),
  ),
})).value;
const name = fc.oneof(text, fc.constantFrom('Items', 'L', 'Count'));
const items = fc.array(fc.dictionary(name, attribute, { maxKeys: 5 }), { maxLength: 6 });

describe('the texts of items', () => {
  test('are the items, one by one, whatever stands in them and around them', () => {
    fc.assert(
      fc.property(items, fc.boolean(), (all, isLast) => {
        const key = { LastEvaluatedKey: { Items: { S: '"Items":[{' } } };
        const answer = JSON.stringify({
          ...(!isLast && key),
          Count: all.length,
          Items: all,
          ScannedCount: all.length,
          ...(isLast && key),
        });
        expect(itemTexts(answer)).toEqual(all.map((item) => JSON.stringify(item)));
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['{"Count":0}', 'has no list of items'],
    ['{"Items": [{"id":{"S":"a"}}]}', 'is spaced in another way'],
    ['{"Items":[{"id":{"S":"a"}}', 'breaks off after an item'],
    ['{"Items":[{"id":{"S":"a', 'breaks off within a text'],
  ])('are not guessed: %s %s', (answer) => {
    expect(itemTexts(answer)).toBeUndefined();
  });
});

/** Text on a terminal: no value from a table can turn it around, clear it, or hide in it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonText } from '../../lib/operator/terminal/print.ts';

const RAW = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u;

describe('JSON of a command', () => {
  test.each<[string, string]>([
    ['the control sequence introducer of C1', '\u009b31m'],
    ['an escape', '\u001b[31m'],
    ['a deletion', '\u007f'],
    ['an override of direction', '\u202egnp.exe'],
    ['an isolate', '\u2066x\u2069'],
    ['a mark of direction', '\u200f'],
    ['a line separator', '\u2028'],
    ['a paragraph separator', '\u2029'],
    ['a byte order mark', '\ufeff'],
    ['a tag beyond the first plane', '\u{e0041}'],
    ['half a character', '\ud800'],
    ['a line break', 'a\nb'],
  ])('escapes %s, in names and in values, and says the same', (_, text) => {
    const value = { [`name ${text}`]: [text, { inner: `${text}${text}` }] };
    const printed = jsonText(value);
    expect(printed).not.toMatch(RAW);
    expect(printed.split('\n')).toHaveLength(JSON.stringify(value, null, 2).split('\n').length);
    expect(JSON.parse(printed)).toEqual(value);
  });

  test('leaves letters of all scripts, and signs, as they are', () => {
    expect(jsonText('Größe 宮崎 駿 🦉')).toBe('"Größe 宮崎 駿 🦉"');
  });

  test('says the same of any value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const printed = jsonText(value);
        expect(printed).not.toMatch(RAW);
        expect(JSON.parse(printed)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

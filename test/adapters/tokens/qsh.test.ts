/**
 * The query string hash: edge cases of the protocol, and a comparison with the library that senders
 * use.
 */
import { createQueryStringHash, fromMethodAndUrl } from 'atlassian-jwt';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalRequest, queryStringHash } from '../../../lambdas/adapters/tokens/qsh.ts';
import { CANONICAL_PATHS, CANONICAL_QUERIES } from '../../support/canonical-queries.ts';

describe('a canonical request', () => {
  test.each<[string, Parameters<typeof canonicalRequest>, string]>([
    ['of a schedule', ['POST', '/dare-migration/schedule', ''], 'POST&/dare-migration/schedule&'],
    [
      'of a status',
      ['GET', '/dare-migration/status', 'migrationId=57500'],
      'GET&/dare-migration/status&migrationId=57500',
    ],
    ['has its method in capitals', ['post', '/a', ''], 'POST&/a&'],
    ['has no trailing slash', ['GET', '/a/b/', ''], 'GET&/a/b&'],
    ['loses one trailing slash, not two', ['GET', '/a//', ''], 'GET&/a/&'],
    ['of the root is a slash', ['GET', '/', ''], 'GET&/&'],
    ['of nothing is a slash', ['GET', '', ''], 'GET&/&'],
    ['begins with a slash', ['GET', 'a', ''], 'GET&/a&'],
    ['escapes an ampersand in its path', ['GET', '/a&b&c', ''], 'GET&/a%26b%26c&'],
    ['sorts its parameters', ['GET', '/a', 'b=2&a=1&C=3'], 'GET&/a&C=3&a=1&b=2'],
    ['sorts by encoded name', ['GET', '/a', 'a_b=1&a%20b=2'], 'GET&/a&a%20b=2&a_b=1'],
    ['joins repeated parameters', ['GET', '/a', 'a=1&b=2&a=3'], 'GET&/a&a=1,3&b=2'],
    ['sorts repeated values', ['GET', '/a', 'a=c&a=b&a=a'], 'GET&/a&a=a,b,c'],
    [
      'sorts repeated values before they are encoded',
      ['GET', '/a', 'a=%C3%A9&a=%7E'],
      'GET&/a&a=~,%C3%A9',
    ],
    ['sorts names after they are encoded', ['GET', '/a', '%7E=1&%C3%A9=2'], 'GET&/a&%C3%A9=2&~=1'],
    ['keeps an empty value', ['GET', '/a', 'a=&b'], 'GET&/a&a=&b='],
    ['writes a space as %20', ['GET', '/a', 'a=x+y&b=x%20y'], 'GET&/a&a=x%20y&b=x%20y'],
    ['writes a plus as %2B', ['GET', '/a', 'a=x%2By'], 'GET&/a&a=x%2By'],
    ['writes an asterisk as %2A', ['GET', '/a', 'a=*'], 'GET&/a&a=%2A'],
    ['encodes what RFC 3986 reserves', ['GET', '/a', "a=!'()"], 'GET&/a&a=%21%27%28%29'],
    ['leaves bare what is unreserved', ['GET', '/a', 'a=-._~aZ09'], 'GET&/a&a=-._~aZ09'],
    ['decodes what need not be encoded', ['GET', '/a', 'a=%41%7E'], 'GET&/a&a=A~'],
    ['encodes in capitals', ['GET', '/a', 'a=%c3%a9'], 'GET&/a&a=%C3%A9'],
    ['encodes a comma inside a value', ['GET', '/a', 'a=1,2'], 'GET&/a&a=1%2C2'],
    ['leaves the token out', ['GET', '/a', 'a=1&jwt=abc'], 'GET&/a&a=1'],
    ['leaves the token out wherever it is', ['GET', '/a', 'jwt=abc&b=1&jwt=def'], 'GET&/a&b=1'],
    [
      'keeps what is only called like a token',
      ['GET', '/a', 'JWT=1&jwt2=2'],
      'GET&/a&JWT=1&jwt2=2',
    ],
    ['takes an escaped path as it is', ['GET', '/a%20b', ''], 'GET&/a%20b&'],
    [
      'has names that objects have',
      ['GET', '/a', '__proto__=1&constructor=2'],
      'GET&/a&__proto__=1&constructor=2',
    ],
  ])('%s', (_, request, canonical) => expect(canonicalRequest(...request)).toBe(canonical));

  test.each(CANONICAL_QUERIES)('is the one of Atlassian’s vectors: %s', (_, query, canonical) => {
    expect(canonicalRequest('GET', '/test', query)).toBe(`GET&/test&${canonical}`);
    expect(canonicalRequest('GET', '/test', [query, 'jwt=a.b.c'].filter(Boolean).join('&'))).toBe(
      `GET&/test&${canonical}`,
    );
  });

  test.each(CANONICAL_PATHS)(
    'is the one of Atlassian’s vectors: the path %s',
    (path, canonical) => {
      expect(canonicalRequest('GET', path, 'a=b')).toBe(`GET&${canonical}&a=b`);
    },
  );

  test('is hashed by SHA-256, in hexadecimal digits', () => {
    expect(queryStringHash('GET', '/path', '')).toMatch(/^[0-9a-f]{64}$/);
    expect(queryStringHash('GET', '/path', '')).not.toBe(queryStringHash('POST', '/path', ''));
  });

  test('is made of any query, however malformed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (query) => {
        expect(queryStringHash('GET', '/a', query)).toMatch(/^[0-9a-f]{64}$/);
      }),
    );
  });
});

describe('atlassian-jwt', () => {
  const word = fc.string({
    minLength: 1,
    maxLength: 6,
    unit: fc.constantFrom(
      'a',
      'B',
      '1',
      '-',
      '.',
      '_',
      '~',
      '*',
      ' ',
      '&',
      '=',
      ',',
      'é',
      '+',
      "'",
      '(',
      '🦉',
    ),
  });
  /**
   * Names that encoding does not change, each once: the library sorts names before it encodes them.
   */
  const name = fc
    .string({
      minLength: 1,
      maxLength: 6,
      unit: fc.constantFrom('a', 'B', '1', '-', '.', '_', '~'),
    })
    .filter((text) => text !== 'jwt');
  const query = fc.uniqueArray(fc.tuple(name, word), { selector: ([key]) => key, maxLength: 5 });
  const path = fc.array(
    fc.string({ minLength: 1, maxLength: 5, unit: fc.constantFrom('a', 'b', '-', '1', '.') }),
    { maxLength: 4 },
  );

  test('hashes the same request to the same', () => {
    fc.assert(
      fc.property(fc.constantFrom('GET', 'POST'), path, query, (method, segments, parameters) => {
        const literal = `/${segments.join('/')}`;
        const raw = parameters.map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
        const theirs = createQueryStringHash(
          fromMethodAndUrl(method, `${literal}?${raw}`),
          false,
          '',
        );
        expect(queryStringHash(method, literal, raw)).toBe(theirs);
      }),
      { numRuns: 500 },
    );
  });

  test('hashes repeated values to the same, whatever is in them', () => {
    const values = fc.array(word, { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(values, (all) => {
        const raw = all.map((value) => `a=${encodeURIComponent(value)}`).join('&');
        const theirs = createQueryStringHash(fromMethodAndUrl('GET', `/status?${raw}`), false, '');
        expect(queryStringHash('GET', '/status', raw)).toBe(theirs);
      }),
    );
  });

  test('differs where it is known to: it sorts names before it encodes them', () => {
    const raw = '~=1&%C3%A9=1';
    const theirs = createQueryStringHash(fromMethodAndUrl('GET', `/status?${raw}`), false, '');
    expect(queryStringHash('GET', '/status', raw)).not.toBe(theirs);
  });
});

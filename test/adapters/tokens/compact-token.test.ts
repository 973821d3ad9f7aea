/** A token has one accepted spelling: others that decoders take are refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compactToken } from '../../../lambdas/adapters/tokens/compact-token.ts';
import { Unauthenticated } from '../../../lambdas/domain/refusal.ts';
import { hs256, respellings } from '../../support/tokens.ts';

const encoded = (text: string) => Buffer.from(text).toString('base64url');

describe('a token', () => {
  test('is taken apart, and says what was signed', () => {
    const token = hs256({ iss: 'tenant-1' }, 'secret');
    expect(compactToken(token)).toEqual({
      header: { alg: 'HS256', typ: 'JWT' },
      payload: { iss: 'tenant-1' },
      signed: token.slice(0, token.lastIndexOf('.')),
    });
  });

  test.each(Object.entries(respellings(hs256({ iss: 'tenant-1' }, 'secret'))))(
    'with %s is refused',
    (_, token) => {
      expect(() => compactToken(token)).toThrow(Unauthenticated);
    },
  );

  test('is the only one of its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (signature) => {
        const spelt = Buffer.from(signature).toString('base64url');
        const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
        const accepted = [...alphabet].filter((last) => {
          const other = `${spelt.slice(0, -1)}${last}`;
          if (!Buffer.from(other, 'base64url').equals(Buffer.from(signature))) return false;
          try {
            return compactToken(`${encoded('{}')}.${encoded('{}')}.${other}`) !== undefined;
          } catch {
            return false;
          }
        });
        expect(accepted).toEqual([spelt.at(-1)]);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ['is missing', undefined],
    ['has two segments', 'e30.e30'],
    ['has four', 'e30.e30.AA.AA'],
    ['has claims that are a list', `e30.${encoded('[]')}.AA`],
    ['has claims that are null', `e30.${encoded('null')}.AA`],
    ['has a header that is no JSON', `${encoded('{')}.e30.AA`],
    ['is longer than is read', `e30.e30.${'A'.repeat(8_192)}`],
  ])('that %s is refused', (_, token) => {
    expect(() => compactToken(token)).toThrow(Unauthenticated);
  });
});

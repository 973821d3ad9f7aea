/** Which of two credentials win, in any order and realm of their arrival. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { afterArrival, afterMeeting } from '../../../lambdas/domain/tenants/credentials.ts';
import type { Credentials } from '../../../lambdas/domain/tenants/tenant.ts';

const of = (name: string, iat = 1_000): Credentials => ({
  sharedSecret: `secret of ${name}`,
  iat,
  tokens: [name],
});
const arrived = (stored: Credentials, next: Credentials) => afterArrival(stored, next) ?? stored;
const met = (stored: Credentials, other: Credentials) => afterMeeting(stored, other) ?? stored;

describe('an installation that arrives', () => {
  test('wins when its token is newer, and is ignored when it is older', () => {
    expect(afterArrival(of('a'), of('b', 1_001))).toEqual(of('b', 1_001));
    expect(afterArrival(of('a'), of('b', 999))).toBeUndefined();
    expect(afterMeeting(of('a'), of('b', 1_001))).toEqual(of('b', 1_001));
    expect(afterMeeting(of('a'), of('b', 999))).toBeUndefined();
  });

  test('wins once in its second, and changes nothing when it comes again', () => {
    const both = arrived(of('a'), of('b'));
    expect(both).toEqual({ ...of('b'), tokens: ['a', 'b'] });
    expect(afterArrival(both, of('a'))).toBeUndefined();
    expect(afterArrival(both, of('b'))).toBeUndefined();
    expect(arrived(both, of('c'))).toEqual({ ...of('c'), tokens: ['a', 'b', 'c'] });
  });

  test('wins over one of that second of which no token is known', () => {
    const { tokens: _, ...unknown } = of('a');
    expect(afterArrival(unknown, of('b'))).toEqual(of('b'));
    expect(afterArrival(of('b'), unknown)).toEqual(unknown);
  });
});

describe('the credentials of two realms that meet', () => {
  test('are those that have seen the others', () => {
    const both = arrived(of('a'), of('b'));
    expect(met(of('a'), both)).toEqual(both);
    expect(met(both, of('a'))).toEqual(both);
  });

  test('become the same in both, in whichever order tokens of one second arrived there', () => {
    const names = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(names, names, (here, there) => {
        const [one, other] = [here, there].map((order) =>
          order.map((name) => of(name)).reduce(arrived),
        );
        if (one === undefined || other === undefined) throw new Error('nothing arrived');
        const [first, second] = [met(one, other), met(other, one)];
        expect(met(first, second).sharedSecret).toBe(met(second, first).sharedSecret);
        for (const name of [...here, ...there])
          expect(afterArrival(met(first, second), of(name))).toBeUndefined();
      }),
    );
  });
});

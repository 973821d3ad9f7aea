/** Copying ahead: what may be declared, when it is worth it, and how fast it may be. */
import { describe, expect, test } from 'vitest';
import {
  aheadRate,
  checkCopyAhead,
  isWorthAhead,
  secondsOf,
} from '../../../lambdas/domain/planning/copy-ahead.ts';
import { HOUR_MS } from '../../../lambdas/domain/time.ts';

describe('a declaration', () => {
  test.each([
    { hoursBefore: 24, above: '10 minutes' },
    { hoursBefore: 0.5, above: '1 second', rateLimit: 1 },
    { hoursBefore: 720, above: '2 hours', rateLimit: 1_000 },
  ])('may be %o', (declared) => {
    expect(() => checkCopyAhead(declared)).not.toThrow();
  });

  test.each<[unknown, string]>([
    ['on', 'and no string'],
    [null, 'and no object'],
    [{ hoursBefore: 24, above: '1 hour', writes: 5 }, 'and no writes'],
    [{ above: '1 hour' }, 'hoursBefore is a number of hours'],
    [{ hoursBefore: 0, above: '1 hour' }, 'hoursBefore is a number of hours'],
    [{ hoursBefore: 721, above: '1 hour' }, 'hoursBefore is a number of hours'],
    [{ hoursBefore: Number.NaN, above: '1 hour' }, 'hoursBefore is a number of hours'],
    [{ hoursBefore: '24', above: '1 hour' }, 'hoursBefore is a number of hours'],
    [{ hoursBefore: 24 }, 'above is a time'],
    [{ hoursBefore: 24, above: 600 }, 'above is a time'],
    [{ hoursBefore: 24, above: '10 min' }, 'above is a time'],
    [{ hoursBefore: 24, above: '-1 minutes' }, 'above is a time'],
    [{ hoursBefore: 24, above: '1 hour', rateLimit: 0 }, 'rateLimit is a whole number'],
    [{ hoursBefore: 24, above: '1 hour', rateLimit: 2.5 }, 'rateLimit is a whole number'],
    [{ hoursBefore: 24, above: '1 hour', rateLimit: 1_001 }, 'rateLimit is a whole number'],
  ])('may not be %o', (declared, says) => {
    expect(() => checkCopyAhead(declared)).toThrow(says);
  });

  test.each([
    ['1 second', 1],
    ['90 seconds', 90],
    ['10 minutes', 600],
    ['2 hours', 7_200],
    ['2 days', undefined],
    ['minutes', undefined],
    ['1.5 hours', undefined],
  ])('says %s in %o seconds', (text, seconds) => {
    expect(secondsOf(text)).toBe(seconds);
  });
});

describe('a schedule is worth it', () => {
  const now = Date.parse('2026-12-24T00:00:00Z');
  const iso = (hours: number) => new Date(now + hours * HOUR_MS).toISOString();
  const declared = { hoursBefore: 24, above: '10 minutes' };
  const estimate = { at: iso(0), items: 9, bytes: 9, seconds: 601, limit: 'partition' } as const;
  const facts = { location: 'DE', startTime: iso(24), endTime: iso(26) };
  const scheduled = { source: 'us', target: 'de', facts, estimate };

  test('from so many hours before its window on, where the fence would be longer', () => {
    expect(isWorthAhead(scheduled, declared, now)).toBe(true);
    expect(isWorthAhead(scheduled, declared, now - 1)).toBe(false);
    expect(isWorthAhead(scheduled, declared, Date.parse(facts.endTime))).toBe(false);
    const short = { ...scheduled, estimate: { ...estimate, seconds: 600 } };
    expect(isWorthAhead(short, declared, now)).toBe(false);
  });

  test('never before it was counted, a second time, or where nothing moves', () => {
    const { estimate: _, ...uncounted } = scheduled;
    expect(isWorthAhead(uncounted, declared, now)).toBe(false);
    expect(isWorthAhead({ ...scheduled, ahead: { begunAt: iso(-1) } }, declared, now)).toBe(false);
    expect(isWorthAhead({ ...scheduled, target: 'us' }, declared, now)).toBe(false);
  });
});

describe('the rate', () => {
  test('leaves three quarters of a key to the app, unless another is declared', () => {
    expect(aheadRate(undefined, undefined)).toBe(250);
    expect(aheadRate({ rateLimit: 40 }, undefined)).toBe(40);
  });

  test('counts a write unit for each KB that an item has begun, and is never nothing', () => {
    expect(aheadRate(undefined, { items: 10, bytes: 10 * 1_024 })).toBe(250);
    expect(aheadRate(undefined, { items: 10, bytes: 10 * 1_025 })).toBe(125);
    expect(aheadRate({ rateLimit: 3 }, { items: 1, bytes: 400 * 1_024 })).toBe(1);
    expect(aheadRate(undefined, { items: 0, bytes: 0 })).toBe(250);
  });
});

/** How ranges share the limits that an operator sets for a move. */
import { describe, expect, test } from 'vitest';
import type { RangeRecord } from '../../../lambdas/domain/moving/range-record.ts';
import { isCrowded, writesOf } from '../../../lambdas/domain/moving/turn-limits.ts';
import { rangeRecord } from '../../support/builders.ts';

const at = (range: string, until: number): RangeRecord =>
  rangeRecord({ range, lease: { owner: range, until } });

describe('a turn finds all places taken', () => {
  const mine = at('exports/05', 300);

  test.each<[string, number | undefined, readonly RangeRecord[], boolean]>([
    ['not where nothing is set', undefined, [at('exports/01', 1), at('exports/02', 2)], false],
    ['not by itself', 1, [mine], false],
    ['by one that began before it', 1, [mine, at('exports/09', 299)], true],
    ['not by one that began after it', 1, [mine, at('exports/01', 301)], false],
    ['by as many as there are places, and no fewer', 2, [mine, at('exports/01', 1)], false],
    [
      'of two that began at once, the later in the alphabet',
      1,
      [mine, at('exports/04', 300)],
      true,
    ],
    ['of two that began at once, not the earlier', 1, [mine, at('exports/06', 300)], false],
  ])('%s', (_, concurrency, leased, crowded) => {
    expect(isCrowded(concurrency === undefined ? {} : { concurrency }, mine, leased)).toBe(crowded);
  });

  test('all ranges but the allowed number, in any order of looking', () => {
    const all = ['a/1', 'a/2', 'a/3', 'b/1', 'b/2'].map((range) => at(range, 300));
    expect(all.filter((one) => !isCrowded({ concurrency: 2 }, one, all))).toHaveLength(2);
  });
});

describe('the writes of a table are shared', () => {
  const ranges = ['templates/00', 'exports/00', 'exports/01', 'exports/02', 'exports/03'];
  const share = (
    range: string,
    records: readonly RangeRecord[] = [],
    settings: { concurrency?: number; rateLimit?: number } = { rateLimit: 120 },
    work: RangeRecord['work'] = 'copy',
  ) => writesOf({ noNewMoves: false, ...settings }, { range, work }, ranges, records);

  test('not at all where nothing is set', () => {
    expect(share('exports/00', [], {})).toBeUndefined();
    expect(share('exports/00', [], { concurrency: 2 })).toBeUndefined();
  });

  test('by the ranges of the part that are not done', () => {
    expect(share('templates/00')).toBe(120);
    expect(share('exports/00')).toBe(30);
    const done = [
      rangeRecord({ range: 'exports/01', work: 'copy', done: true }),
      rangeRecord({ range: 'exports/02', work: 'verify-copy' }),
      rangeRecord({ range: 'exports/03', work: 'copy' }),
    ];
    expect(share('exports/00', done)).toBe(60);
    expect(share('exports/00', done, undefined, 'discard-target')).toBe(30);
  });

  test('by no more than may work at once', () => {
    expect(share('exports/00', [], { rateLimit: 120, concurrency: 2 })).toBe(60);
    expect(share('exports/00', [], { rateLimit: 120, concurrency: 9 })).toBe(30);
  });

  test('with at least one a second for each', () => {
    expect(share('exports/00', [], { rateLimit: 1 })).toBe(1);
  });
});

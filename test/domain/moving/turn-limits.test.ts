/** How ranges share the writes that an operator allows a move. */
import { describe, expect, test } from 'vitest';
import { writesOf } from '../../../lambdas/domain/moving/turn-limits.ts';

describe('the writes of a table are shared', () => {
  const range = (id: string) => ({ id, part: id.split('/')[0] ?? '' });
  const open = ['templates/00', 'exports/00', 'exports/01', 'exports/02', 'exports/03'].map(range);

  test('by the ranges of the part that are not done', () => {
    expect(writesOf(120, range('templates/00'), open, 16)).toBe(120);
    expect(writesOf(120, range('exports/00'), open, 16)).toBe(30);
    expect(writesOf(120, range('exports/00'), open.slice(0, 3), 16)).toBe(60);
  });

  test('with the range itself, also where it counts as done', () => {
    expect(writesOf(120, range('exports/09'), open, 16)).toBe(24);
  });

  test('by no more than there are workers', () => {
    expect(writesOf(120, range('exports/00'), open, 2)).toBe(60);
  });

  test('with at least one a second for each', () => {
    expect(writesOf(1, range('exports/00'), open, 16)).toBe(1);
  });
});

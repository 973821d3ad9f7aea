/** The windows that a realm has given away. */
import { expect, test } from 'vitest';
import { isFree, type Slots } from '../../../lambdas/domain/moving/slots.ts';

const at = (hour: number) => `2026-12-26T${String(hour).padStart(2, '0')}:00:00.000Z`;
const slot = (tenant: string, from: number, to: number) => ({
  tenant,
  id: tenant,
  takenAt: at(0),
  start: at(from),
  end: at(to),
});
const held: Slots = { one: slot('one', 1, 3), two: slot('two', 2, 4) };

test.each([
  ['as many overlap as the cap', slot('three', 2, 3), 2, false],
  ['fewer overlap than the cap', slot('three', 2, 3), 3, true],
  ['one of them ends as it begins', slot('three', 3, 5), 2, true],
  ['one of them begins as it ends', slot('three', 0, 1), 1, true],
  ['all are over', slot('three', 5, 6), 1, true],
  ['it lies inside of another', slot('three', 1, 2), 1, false],
  ['it lies around another', slot('three', 0, 9), 2, false],
  ['one of them is the same tenant’s', slot('two', 2, 4), 2, true],
  ['the cap is 0', slot('three', 8, 9), 0, false],
] as const)('a window is free, or not, when %s', (_, wanted, cap, isIt) => {
  expect(isFree(held, wanted, cap)).toBe(isIt);
});

test('a window is free where none is held', () =>
  expect(isFree({}, slot('one', 1, 2), 1)).toBe(true));

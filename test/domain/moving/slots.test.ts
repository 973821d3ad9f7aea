/** The windows that a realm has accepted, and the cap on them. */
import { describe, expect, test } from 'vitest';
import {
  isHeld,
  type Lane,
  laneFor,
  type Slot,
  withoutDoubles,
  withoutWindow,
  withWindow,
} from '../../../lambdas/domain/moving/slots.ts';
import { seeded } from '../../simulation/random.ts';

const DAY = 86_400_000;
const MIDNIGHT = Date.parse('2026-12-26T00:00:00.000Z');
const at = (hour: number) => new Date(MIDNIGHT + hour * 3_600_000).toISOString();
const slot = (tenant: string, from: number, to: number): Slot => ({
  tenant,
  id: tenant,
  takenAt: at(0),
  start: at(from),
  end: at(to),
});
const lane = (number: number, ...windows: readonly Slot[]): Lane => ({ number, windows });
const held = [lane(0, slot('one', 1, 3)), lane(1, slot('two', 2, 4))];

test.each([
  ['as many overlap as the cap', slot('three', 2, 3), 2, false],
  ['fewer overlap than the cap', slot('three', 2, 3), 3, true],
  ['one of them ends as it begins', slot('three', 3, 5), 2, true],
  ['one of them begins as it ends', slot('three', 0, 1), 1, true],
  ['all are over', slot('three', 5, 6), 2, true],
  ['it lies inside of another', slot('three', 1, 2), 1, false],
  ['it lies around another', slot('three', 0, 9), 2, false],
  ['one of them is the same tenant’s', slot('two', 2, 4), 2, true],
  ['the cap is 0', slot('three', 8, 9), 0, false],
] as const)('a window has room, or not, when %s', (_, wanted, cap, isIt) => {
  expect(laneFor(held, wanted, cap) !== undefined).toBe(isIt);
});

test('a window has room where none is held', () =>
  expect(laneFor([], slot('one', 1, 2), 1)).toBe(0));

test('two windows that overlap a third one, and not each other, take one lane', () => {
  const first = lane(0, slot('early', 0, 1), slot('late', 9, 10));
  expect(laneFor([first], slot('long', 0, 10), 2)).toBe(1);
});

describe('when the cap was lowered', () => {
  const beyond = lane(7, slot('seven', 2, 4));
  test('what stands beyond it counts', () => {
    expect(laneFor([...held, beyond], slot('three', 2, 3), 3)).toBeUndefined();
    expect(laneFor([held[0] ?? lane(0), beyond], slot('three', 2, 3), 3)).toBe(1);
  });
  test('it counts where it overlaps, and nowhere else', () => {
    expect(laneFor([...held, beyond], slot('three', 5, 6), 1)).toBe(0);
  });
});

test('a lane takes a thousand windows at most, and another takes the next', () => {
  const many = Array.from({ length: 1_000 }, (_, hour) => slot(`t${hour}`, hour, hour + 1));
  expect(laneFor([lane(0, ...many)], slot('next', 2_000, 2_001), 1)).toBeUndefined();
  expect(laneFor([lane(0, ...many)], slot('next', 2_000, 2_001), 2)).toBe(1);
});

test('a thousand windows of the longest client keys fit into one item', () => {
  const longest = { ...slot('k'.repeat(128), 0, 1), id: '1'.repeat(64) };
  const attributes = Object.values(longest).join('').length + 5 + 8;
  expect(1_000 * attributes).toBeLessThan(400 * 1024);
});

test('tenants that ask at once are spread, and one tenant meets itself', () => {
  const chosen = Array.from({ length: 200 }, (_, n) => laneFor([], slot(`tenant-${n}`, 1, 2), 20));
  expect(new Set(chosen).size).toBe(20);
  expect(laneFor([], slot('same', 1, 2), 20)).toBe(laneFor([], slot('same', 5, 6), 20));
});

test('of a window that two hooks have put into two lanes, one counts', () => {
  const doubled = [lane(4, slot('one', 1, 2)), lane(1, slot('one', 1, 2), slot('two', 2, 3))];
  expect(withoutDoubles(doubled)).toEqual([lane(1, slot('one', 1, 2), slot('two', 2, 3)), lane(4)]);
  expect(isHeld(doubled, slot('one', 1, 2))).toBe(true);
  expect(laneFor(doubled, slot('three', 1, 2), 5)).not.toBe(1);
});

test('a window is added, and what was over two weeks ago left out', () => {
  const [over, recent, added] = [slot('over', 0, 1), slot('recent', 100, 101), slot('new', 9, 10)];
  const now = Date.parse(over.end) + 14 * DAY;
  expect(withWindow([over, recent], added, now - 1)).toEqual([over, recent, added]);
  expect(withWindow([over, recent], added, now)).toEqual([recent, added]);
});

test('a window is taken out, and no other', () => {
  const windows = [slot('one', 0, 1), slot('two', 0, 1)];
  expect(withoutWindow(windows, slot('one', 5, 6))).toEqual([slot('two', 0, 1)]);
  expect(withoutWindow(windows, slot('three', 0, 1))).toBeUndefined();
});

/** Windows are added and freed at random, and the cap changes. */
test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'never do more overlap than the cap, and none is refused that has room: luck %i',
  (seed) => {
    const random = seeded(seed);
    const lanes = new Map<number, readonly Slot[]>();
    const all = () => [...lanes].map(([number, windows]) => lane(number, ...windows));
    let [taken, refused] = [0, 0];
    for (let step = 0; step < 2_000; step += 1) {
      const cap = 1 + random.below(6);
      const windows = all().flatMap((one) => one.windows);
      if (windows.length > 0 && random.chance(0.4)) {
        const freed = random.pick(windows);
        for (const one of all())
          lanes.set(one.number, withoutWindow(one.windows, freed) ?? one.windows);
        continue;
      }
      const start = random.below(40);
      const wanted = slot(`tenant-${step}`, start, start + 1 + random.below(12));
      const overlapping = windows.filter(
        ({ start: s, end: e }) => s < wanted.end && wanted.start < e,
      );
      const number = laneFor(all(), wanted, cap);
      if (number === undefined) {
        refused += 1;
        expect(overlapping.length).toBeGreaterThanOrEqual(cap);
        continue;
      }
      taken += 1;
      lanes.set(number, withWindow(lanes.get(number) ?? [], wanted, MIDNIGHT));
      const concurrently = Math.max(
        ...[wanted, ...overlapping].map(
          ({ start: moment }) =>
            [wanted, ...overlapping].filter(
              (one) =>
                one.start <= moment &&
                moment < one.end &&
                moment < wanted.end &&
                moment >= wanted.start,
            ).length,
        ),
      );
      expect(concurrently).toBeLessThanOrEqual(cap);
    }
    expect(Math.min(taken, refused)).toBeGreaterThan(100);
  },
);

/** When a running copy will be done, and when it is given up. */
import { describe, expect, test } from 'vitest';
import { EMPTY_DIGEST } from '../../../lambdas/domain/datasets/digest.ts';
import type { Migration, Projection } from '../../../lambdas/domain/moving/migration.ts';
import type { RangeRecord } from '../../../lambdas/domain/moving/range-record.ts';
import { fractionDone, isHopeless, project } from '../../../lambdas/domain/planning/projection.ts';
import { migrationRecord, rangeRecord } from '../../support/builders.ts';
import { MINUTE, SECOND } from '../../support/clock.ts';

const START = Date.parse('2026-12-26T00:00:00.000Z');
const DRAIN = 60;
/** 1,000 items; two hours, of which the last five minutes are the reserve. */
const migration = (rest: Partial<Migration> = {}): Migration =>
  migrationRecord({
    status: 'copying',
    startedAt: new Date(START).toISOString(),
    estimate: {
      at: new Date(START).toISOString(),
      items: 1_000,
      bytes: 1,
      seconds: 1,
      limit: 'cpu',
    },
    ...rest,
  });
const progress = (items: number) => ({
  done: false,
  digest: { ...EMPTY_DIGEST, items },
  changed: items,
});
const copied = (items: number): readonly RangeRecord[] => [
  rangeRecord({ range: 'templates/00', target: progress(items / 2) }),
  rangeRecord({ range: 'exports/00', target: progress(items / 2) }),
];
const at = (minutes: number) => START + DRAIN * SECOND + minutes * MINUTE;

/** Looks every five minutes from the tenth on; `itemsAt` gives the copied items. */
function looks(itemsAt: (minute: number) => number, until = 110): readonly Projection[] {
  const found: Projection[] = [];
  let projection: Projection | undefined;
  for (let minute = 5; minute <= until; minute += 5) {
    const now = at(minute);
    projection =
      project(
        migration({ ...(projection && { projection }) }),
        copied(itemsAt(minute)),
        DRAIN,
        now,
      ) ?? projection;
    if (projection?.at === new Date(now).toISOString()) found.push(projection);
    if (projection && isHopeless(projection, migration())) break;
  }
  return found;
}

describe('a projection', () => {
  test('is made in proportion to what is done since the drain', () => {
    const projected = project(migration(), copied(400), DRAIN, at(30));
    expect(projected).toMatchObject({ fraction: 0.3, beyond: 0 });
    expect(projected?.endsAt).toBe(new Date(at(100)).toISOString());
  });

  test('is not made in the first ten minutes, before a twentieth is done, or of an unknown size', () => {
    expect(project(migration(), copied(400), DRAIN, at(9))).toBeUndefined();
    expect(project(migration(), copied(60), DRAIN, at(30))).toBeUndefined();
    const { estimate: _, ...unknown } = migration();
    expect(project(unknown, copied(400), DRAIN, at(30))).toBeUndefined();
  });

  test('counts what is verified more than what is copied', () => {
    const verifying = rangeRecord({
      work: 'verify-copy',
      source: progress(500),
      target: progress(500),
    });
    expect(fractionDone([verifying, ...copied(500)], 1_000)).toBe(0.75 + 0.125);
    expect(fractionDone(copied(1_000), 1_000)).toBe(0.75);
    expect(fractionDone([], 0)).toBe(0);
  });
});

describe('a copy', () => {
  test('that is far too slow is given up at its third look, long before its window ends', () => {
    const found = looks((minute) => 4 * minute);
    expect(found.map(({ beyond }) => beyond)).toEqual([1, 2, 3]);
    expect(found.at(-1)?.at).toBe(new Date(at(30)).toISOString());
  });

  test.each<[string, (minute: number) => number]>([
    ['is on time', (minute) => Math.min(1_000, 14 * minute)],
    [
      'stalls for five minutes early on',
      (minute) => 15 * Math.max(minute === 5 ? 5 : 0, minute - 5),
    ],
    [
      'stalls for ten minutes in the middle',
      (minute) => (minute < 40 ? 15 * minute : 15 * Math.max(40, minute - 10)),
    ],
    ['would end a little late, within what a projection may err by', (minute) => 11.8 * minute],
  ])('is not given up that %s', (_, itemsAt) => {
    const hopeless = looks(itemsAt, 90).filter((look) => isHopeless(look, migration()));
    expect(hopeless).toEqual([]);
  });

  test('is not given up for two bad looks, and then a good one', () => {
    const found = looks((minute) => (minute < 20 ? 8 * minute : 20 * minute), 60);
    expect(Math.max(...found.map(({ beyond }) => beyond))).toBe(2);
    expect(found.at(-1)?.beyond).toBe(0);
  });

  test('is not given up by a count from before it began', () => {
    const found = looks((minute) => 4 * minute);
    const [last] = found.slice(-1);
    const before = new Date(START - 1).toISOString();
    const estimate = { at: before, items: 1_000, bytes: 1, seconds: 1, limit: 'cpu' } as const;
    expect(last && isHopeless(last, migration())).toBe(true);
    expect(last && isHopeless(last, migration({ estimate }))).toBe(false);
  });
});

/**
 * What can be played in seconds: some seeds in which no invariant may break.
 */
import { describe, expect, test } from 'vitest';
import { cellOf, type Seen } from './coverage.ts';
import { playAll } from './many.ts';
import { missingIn, REQUIRED } from './required.ts';
import { runSimulation } from './run-simulation.ts';

/** `many-worlds.proof.test.ts` plays more of them, and the scripts with deaths. */
const SEEDS = 100;

describe('a world in which everything goes wrong', () => {
  test(`keeps every invariant after every operation, in ${SEEDS} seeds`, async () => {
    const { seeds, broken } = await playAll({ from: 1, seeds: SEEDS, goesOn: false });
    expect(broken).toEqual([]);
    expect(seeds).toBe(SEEDS);
  });

  test('is the same again with the same seed', async () => {
    const [one, other] = await Promise.all([1, 2].map(() => runSimulation(['--seed', '42'])));
    expect(one?.output).toContain('Everything held.');
    expect(one?.output).toBe(other?.output);
  });

  test('notices a cell that never occurred', () => {
    const all = new Map(REQUIRED.map((cell) => [cell, 1]));
    const fault: Seen = 'killed-after';
    const cell = cellOf('copying', 'copyRange', fault);
    all.delete(cell);
    expect(missingIn(all)).toEqual([cell]);
  });
});

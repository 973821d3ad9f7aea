/**
 * The simulation can fail: each deliberate mistake is noticed within the ordinary number of seeds,
 * by the name of the invariant that it breaks.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MISTAKES } from './mistakes.ts';
import { runSimulation } from './run-simulation.ts';

const SEEDS = 2_000;

describe('the list of mistakes', () => {
  test('leaves out each of the nineteen rules in turn, and more', () => {
    const rules = new Set(MISTAKES.flatMap(({ rule }) => rule ?? []));
    expect(
      Array.from({ length: 19 }, (_, at) => at + 1).filter((rule) => !rules.has(rule)),
    ).toEqual([]);
    expect(MISTAKES.length).toBeGreaterThanOrEqual(31);
  });

  test.each(MISTAKES)('has $name at a place that exists once', ({ changes }) => {
    for (const { file, from, to } of changes) {
      expect(readFileSync(file, 'utf8').split(from), from).toHaveLength(2);
      expect(to).not.toBe(from);
    }
  });
});

describe.concurrent('a simulation', () => {
  test.each(MISTAKES)('notices $name', async ({ name, breaks, from = 1 }) => {
    const { code, output } = await runSimulation(
      ['--from', `${from}`, '--seeds', `${SEEDS}`, '--processes', '1'],
      {
        env: { MISTAKE: name },
        node: ['--import', './test/simulation/mutate.ts'],
      },
    );
    const broken = /BROKEN ([a-z ]+):/.exec(output)?.[1];
    expect(code, output.slice(-500)).toBe(1);
    expect(breaks, output.slice(-500)).toContain(broken);
  });
});

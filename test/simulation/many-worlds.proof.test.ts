/**
 * Many seeds, in which no invariant may break and no possible combination may be missing; and a
 * death at every operation of each script.
 */
import { describe, expect, test } from 'vitest';
import { SCENARIOS } from './crash-points.ts';
import { missingIn, REQUIRED } from './required.ts';
import { runSimulation } from './run-simulation.ts';
import type { Tally } from './tally.ts';

const SEEDS = 2_500;

/**
 * Takes each 32nd moment at which a second actor enters beside a death: `npm run simulate --
 * --crash-points` takes each.
 */
const EVERY = '32';

describe('a world in which everything goes wrong', () => {
  test(`keeps every invariant after every operation, in ${SEEDS} seeds, and leaves out nothing that can occur`, async () => {
    const { code, output } = await runSimulation(['--json', '--seeds', `${SEEDS}`]);
    expect(code, output.slice(-3_000)).toBe(0);
    const { seeds, cells }: Tally = JSON.parse(output);
    expect(seeds).toBe(SEEDS);
    expect(REQUIRED.length).toBeGreaterThan(130);
    expect(missingIn(new Map(Object.entries(cells)))).toEqual([]);
  });
});

describe.concurrent('a death before, and after, every single operation', () => {
  test.each(Object.keys(SCENARIOS))('of %s is mended by what happens next', async (scenario) => {
    const { code, output } = await runSimulation([
      '--crash-points',
      '--scenario',
      scenario,
      '--every',
      EVERY,
    ]);
    expect(code, output.slice(-3_000)).toBe(0);
    expect(output).toContain(`${scenario}: a death before and after each of`);
  });
});

/** Where the tests are. `npm run prove` runs those that take minutes: deliberate mistakes, and processes that are killed. */
import { defineConfig } from 'vitest/config';

const LONG = ['test/simulation/mistakes.test.ts', 'test/processes/kill.test.ts'];
const isProof = process.env['PROOF'] === '1';

export default defineConfig({
  test: {
    include: isProof ? LONG : ['test/**/*.test.ts'],
    exclude: isProof ? [] : LONG,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Most of them wait, for clocks and for each other: more of them than processors go on at once.
    maxWorkers: 3,
    // Killed processes must get their share of two processors: the long ones go one after the other.
    fileParallelism: !isProof,
    ...(isProof && { maxConcurrency: 2 }),
  },
});

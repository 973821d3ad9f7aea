/** Where the tests are, and what must not disturb what: the long proofs have the machine to themselves when all others are done. */
import { defineConfig } from 'vitest/config';

/** Deliberate mistakes that must be noticed, and processes that are killed: minutes of two processors. */
const PROOFS = ['test/simulation/mistakes.test.ts', 'test/processes/kill.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: 'test/support/one-folder.ts',
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['test/**/*.test.ts'],
          exclude: PROOFS,
          // Most of them wait, for clocks and for each other: more of them than processors go on at once.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        // Killed processes must get their share of two processors: one file after the other, two mistakes at once.
        test: {
          name: 'proofs',
          include: PROOFS,
          maxWorkers: 1,
          maxConcurrency: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

/** Where the tests are: `npm test` runs the project `tests`, `npm run test:proofs` the project `proofs`. */
import { defineConfig } from 'vitest/config';

/** Thousands of simulated worlds, deliberate mistakes that must be noticed, processes that are killed: minutes of two processors. */
const PROOFS = [
  'test/simulation/many-worlds.test.ts',
  'test/simulation/mistakes.test.ts',
  'test/processes/kill.test.ts',
];

export default defineConfig({
  test: {
    // Ample: no test waits for a clock where it can look at a state, and a busy machine is no failure. A test that hangs ends here.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 240_000, interval: 50 } },
    // Loading the modules anew for each file cost a third of the time. No test changes what another one sees: environment and
    // globals are left alone, worlds and folders are a test's own.
    isolate: false,
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
        // When all others are done: killed processes wait for starts most of the time, beside two mistakes at once.
        test: {
          name: 'proofs',
          include: PROOFS,
          maxWorkers: 2,
          maxConcurrency: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

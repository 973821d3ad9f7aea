/**
 * Which tests are run by what: `npm test` runs the project `tests`, `npm run test:proofs` the
 * project `proofs`, and `npm run check` both in one order of files, the slowest first.
 */
import { defineConfig } from 'vitest/config';
import { SlowestFirst } from './test/slowest-first.ts';

/**
 * Proofs of the whole system: simulated worlds, mistakes that must be noticed, killed processes,
 * every layout, every right. They take minutes of two processors.
 */
const PROOFS = 'test/**/*.proof.test.ts';

export default defineConfig({
  test: {
    // Ample: no test waits for a clock where it can look at a state, and a busy machine is no
    // failure. A test that hangs ends here.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 240_000, interval: 50 } },
    // Loading the modules anew for each file cost a third of the time. No test changes what another
    // one sees: environment and globals are left alone, worlds and folders are a test's own.
    isolate: false,
    // One for each of two processors: a third took a seventh more processor time, and no less time.
    maxWorkers: 2,
    // Tests that run at once mostly wait, for a drain or for another process. Those that take a
    // processor each, as the simulation's, take turns by themselves.
    maxConcurrency: 8,
    globalSetup: 'test/support/one-folder.ts',
    sequence: { sequencer: SlowestFirst },
    projects: [
      {
        extends: true,
        test: { name: 'tests', include: ['test/**/*.test.ts'], exclude: [PROOFS] },
      },
      {
        extends: true,
        test: { name: 'proofs', include: [PROOFS] },
      },
    ],
  },
});

/** Decides which tests of a suite run again for a Forge app. */
import { test } from 'vitest';

type Declare = (title: string, run: () => Promise<void>) => void;

/**
 * Declares a test, or nothing at all, because a test that need not run should not be reported as
 * skipped.
 */
export const testIf =
  (isMeant: boolean): Declare =>
  (title, run) => {
    if (isMeant) test(title, run);
  };

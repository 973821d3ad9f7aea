/** Which tests of a suite that runs behind every door are worth running again behind another one. */
import { test } from 'vitest';

type Declare = (title: string, run: () => Promise<void>) => void;

/** Declares a test, or nothing at all: what need not run is not there, rather than skipped. */
export const testIf =
  (isMeant: boolean): Declare =>
  (title, run) => {
    if (isMeant) test(title, run);
  };

/**
 * Runs a function when fewer than a given number run; the others wait in the order in which they
 * came.
 */
export type Limited = <T>(run: () => Promise<T>) => Promise<T>;

/**
 * All functions of this host share one process. If hundreds ran at once, each would take so long
 * that its calls time out, and all would fail. A few at a time all succeed.
 */
export function atMost(count: number): Limited {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (running >= count) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      // The next one takes this place at once, so that a later caller cannot take it first.
      if (next) next();
      else running -= 1;
    }
  };
}

/** So many at a time, in the order in which they came; the others wait. */
export type Limited = <T>(run: () => Promise<T>) => Promise<T>;

/**
 * All functions of this host share one process. If hundreds ran at once, each would take so long that its calls time out,
 * and all would fail together; one after the other they all succeed.
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
      // The place goes straight to the next one, so that nobody comes in between.
      if (next) next();
      else running -= 1;
    }
  };
}

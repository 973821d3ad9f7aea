/** Runs many calls with a bounded number at once, and finds the last element of a stream. */

/** Ranges at once, as in the Map of a move. */
const CONCURRENCY = 16;

/**
 * Returns the results in the order of the elements. When one fails, no new one begins, and running
 * ones are awaited.
 */
export async function concurrently<T, R>(
  elements: readonly T[],
  run: (element: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = elements.entries();
  let hasFailed = false;
  const workers = Array.from({ length: CONCURRENCY }, async () => {
    for (const [at, element] of queue) {
      if (hasFailed) return;
      try {
        results[at] = await run(element);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  });
  const ends = await Promise.allSettled(workers);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return results;
}

export async function lastOf<T>(elements: AsyncIterable<T>): Promise<T | undefined> {
  let last: T | undefined;
  for await (const element of elements) last = element;
  return last;
}

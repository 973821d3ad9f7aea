/** Many calls with a bounded number under way, and the last element of a stream. */

/** Ranges at a time, as the Map of a move has them. */
const CONCURRENCY = 16;

/** The results in the order of the elements. When one fails, no new one begins, and those under way are waited for. */
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

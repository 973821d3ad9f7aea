/**
 * For how long an allowed request may write: outside Lambda, nothing ends one that runs for too
 * long.
 */
import type { Allowed, Found } from './types.ts';

/**
 * `end` as `performance.now()` counts. The signal is made when it is first looked at: most requests
 * only read.
 */
export function allowedUntil(end: number): (found: Found) => Allowed {
  let signal: AbortSignal | undefined;
  return (found) => ({
    kind: 'allowed',
    ...found,
    get signal() {
      signal ??= signalAt(end);
      return signal;
    },
  });
}

function signalAt(end: number): AbortSignal {
  const left = Math.floor(end - performance.now());
  return left > 0 ? AbortSignal.timeout(left) : AbortSignal.abort();
}

/** Runs one function the way Lambda does: with a deadline that is enforced, and known by name to whoever watches its calls. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Realm } from '../../lambdas/domain/realm.ts';
import type { InvocationContext } from '../../lambdas/hook.ts';

/** A function of one realm, by the file that holds it below `lambdas/`: `hooks/start`, `tasks/copy-range`… */
export interface RunningFunction {
  readonly realm: Realm;
  readonly entry: string;
}

/** Lambda's own name for a function that outlived its timeout, as a state machine sees it. */
export class TimedOut extends Error {
  override readonly name = 'Sandbox.Timedout';
}

const running = new AsyncLocalStorage<RunningFunction>();

/** The function on whose behalf the code at hand runs; `undefined` outside of any. */
export const currentFunction = (): RunningFunction | undefined => running.getStore();

/**
 * Rejects with `TimedOut` at the deadline. Unlike Lambda, this process cannot kill what then still runs: the caller goes
 * on as if it had.
 */
export async function invoke<T>(
  which: RunningFunction,
  timeoutMs: number,
  run: (context: InvocationContext) => Promise<T>,
  newRequestId: () => string = randomUUID,
): Promise<T> {
  const awsRequestId = newRequestId();
  const deadline = Date.now() + timeoutMs;
  const context = { awsRequestId, getRemainingTimeInMillis: () => deadline - Date.now() };
  const { promise: atDeadline, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(
        new TimedOut(
          `RequestId: ${awsRequestId} Error: Task timed out after ${timeoutMs / 1000} seconds`,
        ),
      ),
    timeoutMs,
  );
  try {
    return await Promise.race([running.run(which, () => run(context)), atDeadline]);
  } finally {
    clearTimeout(timer);
  }
}

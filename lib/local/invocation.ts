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

/** One run of a function. */
export interface RunningInvocation {
  readonly which: RunningFunction;
  readonly requestId: string;
  /** What it was called with, where that is known. */
  readonly event?: unknown;
  /** Whoever waits for it hears this error now; what it still does is not stopped by that. */
  readonly endWith: (error: Error) => void;
}

const running = new AsyncLocalStorage<RunningInvocation>();

/** The invocation on whose behalf the code at hand runs; `undefined` outside of any. */
export const currentInvocation = (): RunningInvocation | undefined => running.getStore();

export const currentFunction = (): RunningFunction | undefined => currentInvocation()?.which;

export interface InvocationOptions {
  readonly newRequestId?: (() => string) | undefined;
  readonly event?: unknown;
  /** Told of an invocation that has outlived its time. */
  readonly onTimedOut?: ((invocation: RunningInvocation) => void) | undefined;
}

/**
 * Rejects with `TimedOut` at the deadline, by a clock that nobody sets. Unlike Lambda, this process cannot kill what then
 * still runs: the caller goes on as if it had, and `onTimedOut` is to make sure of the rest.
 */
export async function invoke<T>(
  which: RunningFunction,
  timeoutMs: number,
  run: (context: InvocationContext) => Promise<T>,
  { newRequestId = randomUUID, event, onTimedOut }: InvocationOptions = {},
): Promise<T> {
  const awsRequestId = newRequestId();
  const deadline = performance.now() + timeoutMs;
  const context = { awsRequestId, getRemainingTimeInMillis: () => deadline - performance.now() };
  const { promise: badEnd, reject } = Promise.withResolvers<never>();
  const self = { which, requestId: awsRequestId, event, endWith: reject };
  const timer = setTimeout(() => {
    onTimedOut?.(self);
    reject(
      new TimedOut(
        `RequestId: ${awsRequestId} Error: Task timed out after ${timeoutMs / 1000} seconds`,
      ),
    );
  }, timeoutMs);
  try {
    return await Promise.race([running.run(self, () => run(context)), badEnd]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs one function as Lambda does: with a deadline that is enforced, and with a context by which
 * observers know its calls.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { InvocationContext } from '../../../lambdas/hook.ts';

/** A function of one realm, by its file below `lambdas/`: `hooks/start`, `tasks/copy-range`… */
export interface RunningFunction {
  readonly realm: Realm;
  readonly entry: string;
}

/** Lambda's name, in a state machine, for a function that outlived its timeout. */
export class TimedOut extends Error {
  override readonly name = 'Sandbox.Timedout';
}

/** One run of a function. */
export interface RunningInvocation {
  readonly which: RunningFunction;
  readonly requestId: string;
  /** The event, where the caller knows it. */
  readonly event?: unknown;
  /** Rejects the caller's promise with this error now. The function itself runs on. */
  readonly endWith: (error: Error) => void;
}

const running = new AsyncLocalStorage<RunningInvocation>();

/** The invocation that the present code runs for; `undefined` outside of any. */
export const currentInvocation = (): RunningInvocation | undefined => running.getStore();

export const currentFunction = (): RunningFunction | undefined => currentInvocation()?.which;

export interface InvocationOptions {
  readonly newRequestId?: (() => string) | undefined;
  readonly event?: unknown;
  /** Called with an invocation that has outlived its timeout. */
  readonly onTimedOut?: ((invocation: RunningInvocation) => void) | undefined;
}

/**
 * Rejects with `TimedOut` at the deadline, by a monotonic clock. This process cannot kill the
 * function as Lambda does. The caller goes on as if it had, and `onTimedOut` stops the function's
 * further calls.
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
  const { promise: timedOut, reject } = Promise.withResolvers<never>();
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
    return await Promise.race([running.run(self, () => run(context)), timedOut]);
  } finally {
    clearTimeout(timer);
  }
}

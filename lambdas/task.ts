/** Binds every function of the workflow to its app and to the bounds of its invocation. */
import type { Invocation } from './app/phases/range-turn.ts';
import { type App, compose } from './compose.ts';
import { Fault, PermanentError } from './domain/refusal.ts';
import type { InvocationContext } from './hook.ts';

export type Task = (app: App) => (input: unknown, context: InvocationContext) => Promise<unknown>;

/**
 * A task throws where it is to be tried again, and `PermanentError` where it is not. The state
 * machine sees the error's name and message.
 */
export function taskOf(
  run: (app: App, input: unknown, invocation: Invocation) => Promise<unknown>,
): Task {
  return (app) => async (input, context) => {
    const deadline = app.ports.clock.now() + context.getRemainingTimeInMillis();
    try {
      // Step Functions takes a result of `null`, but not of `undefined`.
      return (await run(app, input, { id: context.awsRequestId, deadline })) ?? null;
    } catch (error) {
      throw told(app, error);
    }
  };
}

/** The state machine gets one of two kinds of errors; the log gets what the error was about. */
function told({ ports }: App, error: unknown): unknown {
  if (!(error instanceof Fault || error instanceof PermanentError)) return error;
  ports.log.warn(`a task failed: ${error.message}`, { permanent: error instanceof PermanentError });
  return error instanceof Fault ? new Fault(error.message) : error;
}

/** The Lambda's entry. It composes the app from the environment once, at the first event. */
export function taskOnLambda(task: Task): ReturnType<Task> {
  let bound: ReturnType<Task> | undefined;
  return (input, context) => {
    bound ??= task(compose(process.env));
    return bound(input, context);
  };
}

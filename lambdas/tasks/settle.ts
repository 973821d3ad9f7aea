/**
 * Called by EventBridge when an execution of this realm's state machine failed, timed out or was
 * aborted.
 */
import { failureIn } from '../app/phases/failure-reason.ts';
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf(async (app, event) => {
  const { detail }: { detail?: unknown } = { ...(typeof event === 'object' ? event : {}) };
  const { input, status, error, cause }: Readonly<Record<string, unknown>> = {
    ...(typeof detail === 'object' ? detail : {}),
  };
  // An execution that was stopped or timed out gives no cause.
  const why = typeof cause === 'string' ? failureIn({ Error: error, Cause: cause }) : undefined;
  await app.settle(JSON.parse(String(input)), String(status), why);
});
export const handler = taskOnLambda(task);

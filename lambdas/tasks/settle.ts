/** EventBridge: an execution of this realm's state machine has ended badly. */
import { failureIn } from '../app/phases/failure-reason.ts';
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf(async (app, event) => {
  const { detail }: { detail?: unknown } = { ...(typeof event === 'object' ? event : {}) };
  const { input, status, error, cause }: Readonly<Record<string, unknown>> = {
    ...(typeof detail === 'object' ? detail : {}),
  };
  // Of an execution that was stopped, or ran out of time, there is nothing more to say.
  const why = typeof cause === 'string' ? failureIn({ Error: error, Cause: cause }) : undefined;
  await app.settle(JSON.parse(String(input)), String(status), why);
});
export const handler = taskOnLambda(task);

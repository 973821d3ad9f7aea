/** EventBridge: an execution of this realm's state machine has ended badly. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf(async (app, event) => {
  const { detail }: { detail?: unknown } = { ...(typeof event === 'object' ? event : {}) };
  const { input, status }: { input?: unknown; status?: unknown } = {
    ...(typeof detail === 'object' ? detail : {}),
  };
  await app.settling.settle(JSON.parse(String(input)), String(status));
});
export const handler = taskOnLambda(task);

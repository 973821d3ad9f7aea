/**
 * Runs every few minutes: drives migrations on that neither Atlassian nor a workflow drives, and
 * delivers what was kept for the app beside us during a move.
 */
import { deliverKept } from '../deliver-kept.ts';
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf(async (app, _input, invocation) => {
  try {
    await app.janitor();
  } finally {
    await deliverKept(app, invocation);
  }
});
export const handler = taskOnLambda(task);

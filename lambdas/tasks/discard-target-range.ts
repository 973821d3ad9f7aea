/** Deletes a range in the target, for one turn. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input, invocation) =>
  app.tasks.discardTargetRange(input, invocation),
);
export const handler = taskOnLambda(task);

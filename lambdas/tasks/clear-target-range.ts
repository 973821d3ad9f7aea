/** Deletes the data of a retired tenant in a range of the target, for one turn. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input, invocation) =>
  app.tasks.clearTargetRange(input, invocation),
);
export const handler = taskOnLambda(task);

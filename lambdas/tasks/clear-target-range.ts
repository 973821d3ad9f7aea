/** Deletes what an earlier, retired residency has left of a range in the target. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input, invocation) =>
  app.tasks.clearTargetRange(input, invocation),
);
export const handler = taskOnLambda(task);

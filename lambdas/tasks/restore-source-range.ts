/** Makes a range of the source equal to the target, for one turn. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input, invocation) =>
  app.tasks.restoreSourceRange(input, invocation),
);
export const handler = taskOnLambda(task);

/** Deletes a range in the source, for one turn. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input, invocation) =>
  app.tasks.purgeSourceRange(input, invocation),
);
export const handler = taskOnLambda(task);

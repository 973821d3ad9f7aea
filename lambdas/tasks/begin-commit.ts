/** Plans the ranges of the source, and returns the grace time. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.tasks.beginCommit(input));
export const handler = taskOnLambda(task);

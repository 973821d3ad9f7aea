/** Plans the ranges of the source, and how long the grace time is. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.tasks.beginCommit(input));
export const handler = taskOnLambda(task);

/** Lets the source serve again. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.tasks.releaseSource(input));
export const handler = taskOnLambda(task);

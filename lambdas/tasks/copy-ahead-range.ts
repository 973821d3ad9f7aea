/** Copies a range ahead of the window, for one turn. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input, invocation) => app.tasks.copyAheadRange(input, invocation));
export const handler = taskOnLambda(task);

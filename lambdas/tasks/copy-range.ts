/** Copies a range from the source to the target, for one turn. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input, invocation) => app.tasks.copyRange(input, invocation));
export const handler = taskOnLambda(task);

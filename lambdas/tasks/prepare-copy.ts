/** Makes sure of the fence in the source, claims the target, plans the ranges. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input, invocation) => app.tasks.prepareCopy(input, invocation));
export const handler = taskOnLambda(task);

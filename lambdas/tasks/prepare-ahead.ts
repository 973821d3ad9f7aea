/** Claims the target for a schedule whose source still serves, and plans the ranges. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input, invocation) => app.tasks.prepareAhead(input, invocation));
export const handler = taskOnLambda(task);

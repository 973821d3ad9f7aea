/** Reads a range again, on both sides or in the source only, for one turn. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input, invocation) => app.tasks.verifyRange(input, invocation));
export const handler = taskOnLambda(task);

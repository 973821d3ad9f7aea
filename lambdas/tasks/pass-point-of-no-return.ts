/** Compares the source with what was verified, and lets the purge begin. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.tasks.passPointOfNoReturn(input));
export const handler = taskOnLambda(task);

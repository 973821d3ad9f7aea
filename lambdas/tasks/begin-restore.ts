/**
 * Waits for workers, withdraws the target, and returns whether the source must be made equal to it.
 */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.tasks.beginRestore(input));
export const handler = taskOnLambda(task);

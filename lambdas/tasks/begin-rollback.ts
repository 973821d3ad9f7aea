/** Waits for workers, and withdraws the target if it is this migration’s own. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.tasks.beginRollback(input));
export const handler = taskOnLambda(task);

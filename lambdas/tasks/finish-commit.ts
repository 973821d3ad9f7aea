/** Proves that the source is empty, and writes the receipt. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.tasks.finishCommit(input));
export const handler = taskOnLambda(task);

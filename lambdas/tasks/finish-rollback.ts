/** Proves that the target is empty, and removes its tenant record. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.tasks.finishRollback(input));
export const handler = taskOnLambda(task);

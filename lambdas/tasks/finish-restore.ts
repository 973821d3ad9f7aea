/** Hands over to the rollback, which runs in the target. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.tasks.finishRestore(input));
export const handler = taskOnLambda(task);

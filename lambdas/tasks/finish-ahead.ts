/** Writes down what was copied ahead; or, where ranges are left, the next attempt. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.tasks.finishAhead(input));
export const handler = taskOnLambda(task);

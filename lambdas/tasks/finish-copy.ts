/** Writes ready-to-commit, if every range is verified; otherwise starts the next attempt. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.tasks.finishCopy(input));
export const handler = taskOnLambda(task);

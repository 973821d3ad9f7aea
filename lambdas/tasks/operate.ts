/** Invoked by an operator: cancels or retries a migration, or changes settings. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.operate(input));
export const handler = taskOnLambda(task);

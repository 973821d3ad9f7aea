/** Invoked by an operator, in the target of a move to come: copies, verifies and discards a sample, and tells how long it took. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input, invocation) => app.rehearse(input, invocation));
export const handler = taskOnLambda(task);

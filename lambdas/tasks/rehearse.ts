/**
 * Invoked by an operator in the target of a future move: copies, verifies and discards a sample,
 * and returns how long it took.
 */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input, invocation) => app.rehearse(input, invocation));
export const handler = taskOnLambda(task);

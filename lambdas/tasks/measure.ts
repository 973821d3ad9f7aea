/** Runs every few minutes: counts the tenants that are scheduled to move, for one turn. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, _, invocation) => app.measureTenants(invocation));
export const handler = taskOnLambda(task);

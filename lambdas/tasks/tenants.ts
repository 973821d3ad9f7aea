/**
 * Invoked by an operator: imports tenants that exist already, or retires one that Atlassian does
 * not know any more.
 */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.operateTenants(input));
export const handler = taskOnLambda(task);

/** Runs every hour: purges tenants that were uninstalled 30 days ago, for one turn. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, _, invocation) => app.purgeRetired(invocation));
export const handler = taskOnLambda(task);

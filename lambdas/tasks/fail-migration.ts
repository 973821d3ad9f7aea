/** Records that the copy has failed, and lets the source go. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.tasks.failMigration(input));
export const handler = taskOnLambda(task);

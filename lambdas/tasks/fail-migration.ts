/** Records that the copy has failed, and releases the source. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input) => app.tasks.failMigration(input));
export const handler = taskOnLambda(task);

/** Every few minutes: what nobody asks about, or nobody drives, goes on. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app) => app.janitor());
export const handler = taskOnLambda(task);

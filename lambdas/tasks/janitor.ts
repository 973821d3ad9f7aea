/** Runs every few minutes: drives migrations on that neither Atlassian nor a workflow drives. */
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app) => app.janitor());
export const handler = taskOnLambda(task);

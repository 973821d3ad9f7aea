/** DATA: every Lambda of a realm, by the file below `lambdas/` that it is made from, and how large it is. */
import type { Residency } from '../lambdas/domain/residency.ts';
import { BACKGROUND_TASKS, ROUTES, routesOf, WORKFLOW_TASKS } from './routes.ts';

export interface Size {
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
}

/** Of what answers HTTP: Atlassian waits 30 s at most, and an answer takes under 3 s. */
const HOOK: Size = { timeoutSeconds: 10, memoryMb: 512 };
/** Of a step that reads and writes single items. */
const STEP: Size = { timeoutSeconds: 60, memoryMb: 512 };
/** Of a turn of work on a range: it works for four minutes; 1,769 MB is one full processor. */
const TURN: Size = { timeoutSeconds: 300, memoryMb: 1769 };

export const ROUTE_ENTRIES: readonly string[] = [...new Set(ROUTES.map((route) => route.entry))];

const TASK_ENTRIES = [...WORKFLOW_TASKS, ...BACKGROUND_TASKS].map((task) => `tasks/${task}`);

export const ENTRIES: readonly string[] = [...ROUTE_ENTRIES, ...TASK_ENTRIES];

/** Those that this app has routes for. */
export const entriesOf = (residency: Pick<Residency, 'app'>): readonly string[] => [
  ...new Set([...routesOf(residency).map((route) => route.entry), ...TASK_ENTRIES]),
];

export function sizeOf(entry: string): Size {
  // A rehearsal is to meet what a worker meets; and what is purged may be as much as what is moved.
  const isTurn = entry === 'tasks/rehearse' || entry === 'tasks/purge-retired';
  if (entry.endsWith('-range') || isTurn) return TURN;
  return entry.startsWith('tasks/') ? STEP : HOOK;
}

/** The last word of an entry, which names its Lambda and its role: `hooks/start` → `start`. */
export const wordOf = (entry: string): string => entry.slice(entry.lastIndexOf('/') + 1);

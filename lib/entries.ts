/**
 * DATA: every Lambda of a realm: the file below `lambdas/` that it is made from, its timeout and
 * its memory.
 */
import type { Residency } from '../lambdas/domain/residency.ts';
import { BACKGROUND_TASKS, ROUTES, routesOf, WORKFLOW_TASKS } from './routes.ts';

export interface Size {
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
}

/** A function that answers HTTP. Atlassian waits for 30 s at most; an answer takes under 3 s. */
const HOOK: Size = { timeoutSeconds: 10, memoryMb: 512 };
/** A task that reads and writes single items. */
const STEP: Size = { timeoutSeconds: 60, memoryMb: 512 };
/** A task that works on a range for a turn of four minutes; 1,769 MB is one full processor. */
const TURN: Size = { timeoutSeconds: 300, memoryMb: 1769 };

export const ROUTE_ENTRIES: readonly string[] = [...new Set(ROUTES.map((route) => route.entry))];

const TASK_ENTRIES = [...WORKFLOW_TASKS, ...BACKGROUND_TASKS].map((task) => `tasks/${task}`);

export const ENTRIES: readonly string[] = [...ROUTE_ENTRIES, ...TASK_ENTRIES];

/** The entries that this app has routes for. */
export const entriesOf = (residency: Pick<Residency, 'app'>): readonly string[] => [
  ...new Set([...routesOf(residency).map((route) => route.entry), ...TASK_ENTRIES]),
];

export function sizeOf(entry: string): Size {
  // A rehearsal must meet the same limits as a copy, and a retired tenant may hold as much as a
  // moved one.
  const isTurn = entry === 'tasks/rehearse' || entry === 'tasks/purge-retired';
  if (entry.endsWith('-range') || isTurn) return TURN;
  return entry.startsWith('tasks/') ? STEP : HOOK;
}

/** The last word of an entry, which names its Lambda and its role: `hooks/start` → `start`. */
export const wordOf = (entry: string): string => entry.slice(entry.lastIndexOf('/') + 1);

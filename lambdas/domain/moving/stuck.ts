/** Which migrations do not come to an end by themselves, so that somebody must look. */
import { HOUR_MS } from '../time.ts';
import type { Migration } from './migration.ts';

/** An execution that fails is started anew at once, three times, and then at the janitor's pace: half an hour of that is enough. */
const MANY_ATTEMPTS = 9;
/** A purge or a restore takes about as long as the copy, which fitted into the window. */
const LONGEST_QUIET_HOURS = 2;

/**
 * Halted; or it has begun to commit or to roll back, and fails again and again, or nothing has become of it for twice its
 * window. A copy is not meant: its window ends it.
 */
export function isStuck(migration: Migration, now: number): boolean {
  const { status, halted, attempt, updatedAt, facts } = migration;
  if (halted !== undefined) return true;
  if (status !== 'committing' && status !== 'rolling-back') return false;
  const window = facts ? Date.parse(facts.endTime) - Date.parse(facts.startTime) : 0;
  const longest = Math.max(LONGEST_QUIET_HOURS * HOUR_MS, 2 * window);
  return attempt >= MANY_ATTEMPTS || now - Date.parse(updatedAt) > longest;
}

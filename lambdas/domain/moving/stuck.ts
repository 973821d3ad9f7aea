/** Finds migrations that do not end by themselves and need an operator. */
import { HOUR_MS } from '../time.ts';
import type { Migration } from './migration.ts';

/**
 * A failed execution is started again at once, three times, and then at the janitor's pace: after
 * half an hour of that the migration counts as stuck.
 */
const MANY_ATTEMPTS = 9;
/** A purge or a restore takes about as long as the copy, which fitted into the window. */
const LONGEST_QUIET_HOURS = 2;

/**
 * True for a halted migration, and for one whose commit or rollback fails again and again, or makes
 * no progress for twice its window. A copy is never stuck: its window ends it.
 */
export function isStuck(migration: Migration, now: number): boolean {
  const { status, halted, attempt, updatedAt, facts } = migration;
  if (halted !== undefined) return true;
  if (status !== 'committing' && status !== 'rolling-back') return false;
  const window = facts ? Date.parse(facts.endTime) - Date.parse(facts.startTime) : 0;
  const longest = Math.max(LONGEST_QUIET_HOURS * HOUR_MS, 2 * window);
  return attempt >= MANY_ATTEMPTS || now - Date.parse(updatedAt) > longest;
}

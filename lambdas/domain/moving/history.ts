/** The history of a migration: when it came to each status, and who set it. */
import { defined } from '../defined.ts';
import { attemptOfPhase, type Migration, type Status } from './migration.ts';

export interface HistoryEntry {
  readonly status: Status;
  /** A hook, a task or the janitor; or `operator` and the operator's name. */
  readonly actor: string;
  readonly at: string;
  readonly error?: NonNullable<Migration['error']>;
  /**
   * Attempt of the present phase; only for an operator's retry, which leaves the status as it is.
   */
  readonly attempt?: number;
}

const OPERATOR = 'operator ';

export const operatorActor = (who: string): string => OPERATOR + who;

/**
 * An entry for every change of status, and for an operator's action that leaves the status as it
 * is.
 */
export function historyEntry(
  before: Migration | undefined,
  after: Migration,
  actor: string,
): HistoryEntry | undefined {
  const { status, updatedAt: at, error, attempt } = after;
  const hasMoved = status !== before?.status;
  const isRetry = actor.startsWith(OPERATOR) && attempt !== before?.attempt;
  if (!hasMoved && !isRetry) return undefined;
  return {
    status,
    actor,
    at,
    ...defined({ error }),
    ...(!hasMoved && { attempt: attemptOfPhase(after) }),
  };
}

/** The history of a migration: when it came to each status, and who moved it. */
import { defined } from '../defined.ts';
import { attemptOfPhase, type Migration, type Status } from './migration.ts';

export interface HistoryEntry {
  readonly status: Status;
  /** A hook, a task, the janitor; or `operator` and who it was. */
  readonly actor: string;
  readonly at: string;
  readonly error?: NonNullable<Migration['error']>;
  /** Of an operator's retry, which leaves the status as it is: of the phase at hand. */
  readonly attempt?: number;
}

const OPERATOR = 'operator ';

export const operatorActor = (who: string): string => OPERATOR + who;

/** Every change of status; and what an operator did to a migration without moving its status. */
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

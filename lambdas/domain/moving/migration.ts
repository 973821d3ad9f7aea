/**
 * A migration: its statuses, the steps between them, and the record of one attempt by Atlassian to
 * move one tenant.
 */
import type { KeyValues } from '../datasets/key-values.ts';
import type { EstimatedLimit } from '../planning/estimate.ts';
import type { Realm } from '../realm.ts';
import { conflict, type Refusal, type RefusalCode } from '../refusal.ts';

/**
 * Stored and told in one spelling. Atlassian understands `failed` and `ready-to-commit`; the rest
 * means "busy".
 */
export type Status =
  | 'scheduled'
  | 'copying'
  | 'ready-to-commit'
  | 'committing'
  | 'committed'
  | 'failed'
  | 'rolling-back'
  | 'rolled-back';

/**
 * What may change a status: Atlassian's hooks, what the workflow reports, and the end of a schedule
 * that never started.
 */
export type Step =
  | 'start'
  | 'commit'
  | 'rollback'
  | 'copied'
  | 'fail'
  | 'purged'
  | 'undone'
  | 'kept'
  | 'expire';

/** Every step that exists; no other is taken. */
export const NEXT = {
  scheduled: { start: 'copying', rollback: 'rolled-back', expire: 'rolled-back' },
  copying: { copied: 'ready-to-commit', fail: 'failed', rollback: 'rolling-back' },
  'ready-to-commit': { commit: 'committing', rollback: 'rolling-back' },
  committing: { purged: 'committed', rollback: 'rolling-back' },
  committed: { rollback: 'rolling-back' },
  failed: { rollback: 'rolling-back' },
  // `kept`: a committed migration whose target has moved on before it could be withdrawn.
  'rolling-back': { undone: 'rolled-back', kept: 'committed' },
  'rolled-back': {},
} as const satisfies Record<Status, Partial<Record<Step, Status>>>;

/**
 * Where a step leads. Rule 17: a schedule whose target may hold items that were copied ahead ends
 * through `rolling-back`, which discards them, and never straight in `rolled-back`.
 */
export function statusAfter(
  { status, ahead }: Pick<Migration, 'status' | 'ahead'>,
  step: Step,
): Status | undefined {
  const next: Partial<Record<Step, Status>> = NEXT[status];
  const to = next[step];
  const mustDiscard = status === 'scheduled' && to === 'rolled-back' && ahead !== undefined;
  return mustDiscard ? 'rolling-back' : to;
}

export const STATUSES = Object.keys(NEXT) as readonly Status[];

/** The hooks that act on a migration that is already on record. */
export type ActingHook = 'schedule' | 'start' | 'commit' | 'rollback';

export type Outcome =
  | { readonly kind: 'moves'; readonly to: Status }
  | { readonly kind: 'repeated' }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** In which statuses a hook is a repetition, and not an error. */
const REPEATED: Record<ActingHook, readonly Status[]> = {
  schedule: ['scheduled', 'copying', 'ready-to-commit', 'committing', 'committed'],
  start: ['copying', 'ready-to-commit', 'committing', 'committed'],
  commit: ['committing', 'committed'],
  rollback: ['rolling-back', 'rolled-back'],
};

/** The table of answers: what a hook does to a migration that is on record. */
export function advance(
  migration: Pick<Migration, 'id' | 'status' | 'error' | 'ahead' | 'startedAt'>,
  hook: ActingHook,
): Outcome {
  const to = hook === 'schedule' ? undefined : statusAfter(migration, hook);
  if (to !== undefined) return { kind: 'moves', to };
  if (REPEATED[hook].includes(migration.status)) return { kind: 'repeated' };
  return { kind: 'refused', refusal: refusalOf(migration, hook) };
}

function refusalOf(
  migration: Pick<Migration, 'id' | 'status' | 'error' | 'startedAt'>,
  hook: ActingHook,
): Refusal {
  const { id, status, error } = migration;
  if (status === 'failed')
    return conflict(`cannot ${hook} migration ${id}: it has failed`, error?.code);
  if (hook === 'start' && (status === 'rolled-back' || isUndoneSchedule(migration))) {
    return conflict(
      `cannot start migration ${id}: it was rolled back and is no longer scheduled`,
      'E0001',
    );
  }
  if (hook === 'commit') {
    return conflict(
      `cannot commit migration ${id}: it is ${status}, and only ready-to-commit can be committed`,
    );
  }
  return conflict(`cannot ${hook} migration ${id}: it is ${status}`);
}

/**
 * A branch of the state machine. `ahead`, `copy` and `rollback` run in the target, `commit` and
 * `restore` in the source.
 */
export type Phase = 'ahead' | 'copy' | 'commit' | 'restore' | 'rollback';

/** The realm whose data a phase changes, in which it runs. */
export function realmOfPhase(
  { source, target }: Pick<Migration, 'source' | 'target'>,
  phase: Phase,
): Realm {
  return phase === 'commit' || phase === 'restore' ? source : target;
}

/** The phases that a status may have; in other statuses a workflow has nothing to do. */
export const PHASES_OF: Partial<Record<Status, readonly Phase[]>> = {
  scheduled: ['ahead'],
  copying: ['copy'],
  committing: ['commit'],
  'rolling-back': ['restore', 'rollback'],
};

/** Names a migration. `ledger` is the realm that keeps its record: its source. */
export interface MigrationKey {
  readonly ledger: Realm;
  readonly tenant: string;
  readonly id: string;
}

/**
 * A window and a location: `schedule` names them, and `start` repeats them. Times are ISO 8601 in
 * UTC.
 */
export interface Facts {
  readonly location: string;
  readonly startTime: string;
  readonly endTime: string;
}

/** Count and sum of item digests over a whole part; `lasting` leaves out items that expire soon. */
export interface PartChecksum {
  readonly items: number;
  readonly bytes: number;
  readonly sum: string;
  readonly lastingItems: number;
  readonly lastingSum: string;
}

/** When a running copy will be verified; `projection.ts` computes it. */
export interface Projection {
  /** When it was made, and the projected end; ISO. */
  readonly at: string;
  readonly endsAt: string;
  /** Share of copy and verification together, 0 to 1. */
  readonly fraction: number;
  /**
   * How many projections in a row, this one included, lay beyond the window by more than the
   * margin.
   */
  readonly beyond: number;
}

/**
 * What was copied before the window, while the source served. That it is there is the mark of rule
 * 16: the target may hold items of this migration.
 */
export interface Ahead {
  /** ISO times. */
  readonly begunAt: string;
  readonly finishedAt?: string;
  /** What was copied when it finished. */
  readonly items?: number;
  readonly bytes?: number;
  /** Why it was given up; the move itself copies what is missing. */
  readonly stopped?: string;
}

/** The status record. Nothing of the customer's content is in it. */
export interface Migration extends MigrationKey {
  readonly status: Status;
  readonly source: Realm;
  readonly target: Realm;
  /**
   * The values of the tenant's keys: as of the schedule, and from the copy on as its record was
   * behind the fence. Absent in a record from before keys were declared by templates; then the
   * tenant's id is the only value.
   */
  readonly keyValues?: KeyValues;
  /**
   * Installations among them that became known after the copy. The restore must not lose items that
   * the source alone has of them.
   */
  readonly lateInstallations?: readonly string[];
  /** Absent for a tombstone: the rollback of an id that was never scheduled. */
  readonly facts?: Facts;
  /** ISO time of the schedule; `scheduledIat` is the issue time of its token, epoch seconds. */
  readonly scheduledAt: string;
  readonly scheduledIat: number;
  readonly updatedAt: string;
  /**
   * The present branch of the state machine, and how many executions of all phases were started.
   * The number is in the names of executions, which never repeat. `attemptOfPhase` is the number
   * that operators see.
   */
  readonly phase?: Phase;
  readonly attempt: number;
  /** The first attempt of the present phase. */
  readonly phaseBegan?: number;
  /** The attempt whose execution is known to have been started. */
  readonly driven?: number;
  /** Executions of the present phase that failed in a row. */
  readonly failedExecutions?: number;
  /** How the last of them ended, and why. */
  readonly lastFailure?: string;
  readonly error?: { readonly code: RefusalCode; readonly reason: string };
  /**
   * The planner's estimate from the newest count. `at` is when the count began; for a copy in
   * doubt, that is behind the fence.
   */
  readonly estimate?: {
    readonly at: string;
    readonly items: number;
    readonly bytes: number;
    readonly seconds: number;
    readonly limit: EstimatedLimit;
  };
  readonly ahead?: Ahead;
  /** ISO time of the start; `startedIat` is the issue time of its token, epoch seconds. */
  readonly startedAt?: string;
  readonly startedIat?: number;
  /** The janitor's last projection of a running copy. */
  readonly projection?: Projection;
  /** Set when the purge of the source may begin: from here on, a rollback copies back. */
  readonly pointOfNoReturn?: string;
  /** The source's checksums when both sides were verified to be equal, by part. */
  readonly checksums?: Readonly<Record<string, PartChecksum>>;
  /** The source has been made equal to the target again. */
  readonly restored?: true;
  /** ISO time of the first arrival at `committed`. */
  readonly committedAt?: string;
  /**
   * The commit found a state that no task may decide about. It waits for an operator, or for a
   * rollback.
   */
  readonly halted?: string;
  /** Epoch seconds after which the record may vanish (tombstones only). */
  readonly expiresAt?: number;
}

/**
 * The values of the tenant's keys in this migration. What is learned of the tenant later does not
 * change them.
 */
export const valuesOf = ({
  tenant,
  keyValues,
}: Pick<Migration, 'tenant' | 'keyValues'>): KeyValues => keyValues ?? { tenant };

/** What was copied: all of it but what became known later. */
export function copiedValuesOf(migration: Migration): KeyValues {
  const { lateInstallations: late = [] } = migration;
  const { installations, ...rest } = valuesOf(migration);
  const copied = installations?.filter((id) => !late.includes(id)) ?? [];
  return { ...rest, ...(copied.length > 0 && { installations: copied }) };
}

/** The number of this attempt of the present phase, from 1 on; 0 before any. */
export const attemptOfPhase = ({
  attempt,
  phaseBegan = 1,
}: Pick<Migration, 'attempt' | 'phaseBegan'>): number => Math.max(0, attempt - phaseBegan + 1);

/**
 * A copy gives up this long before its window ends, so that the site can come back within it.
 * Milliseconds.
 */
export function windowReserve({ facts }: Pick<Migration, 'facts'>): number {
  if (facts === undefined) return 0;
  return Math.min(300_000, 0.05 * (Date.parse(facts.endTime) - Date.parse(facts.startTime)));
}

/** No time is left to verify the copy within the window. `now` in epoch milliseconds. */
export const isTooLate = (migration: Migration, now: number): boolean =>
  migration.facts !== undefined &&
  now > Date.parse(migration.facts.endTime) - windowReserve(migration);

export const isFinal = ({ status }: Pick<Migration, 'status'>) =>
  status === 'committed' || status === 'rolled-back';

/** A schedule that never started and is being undone, with what was copied ahead for it. */
export const isUndoneSchedule = ({ status, startedAt }: Pick<Migration, 'status' | 'startedAt'>) =>
  status === 'rolling-back' && startedAt === undefined;

/**
 * Started, and not at its end. A schedule that is being undone stands in no other's way (rule 19):
 * its source serves, and a migration that wants its target waits there.
 */
export const isUnderWay = (migration: Pick<Migration, 'status' | 'startedAt'>) =>
  !isFinal(migration) && migration.status !== 'scheduled' && !isUndoneSchedule(migration);

/** A move whose source is its target: recorded, and nothing is copied or deleted. */
export const isNoOp = ({ source, target }: Pick<Migration, 'source' | 'target'>) =>
  source === target;

export const sameFacts = (one: Facts | undefined, other: Facts) =>
  one !== undefined &&
  one.location === other.location &&
  Date.parse(one.startTime) === Date.parse(other.startTime) &&
  Date.parse(one.endTime) === Date.parse(other.endTime);

/** A total order on schedules: of two that overlap, the later one stands. */
export function isLater(
  one: Pick<Migration, 'scheduledAt' | 'id'>,
  other: Pick<Migration, 'scheduledAt' | 'id'>,
): boolean {
  if (one.scheduledAt !== other.scheduledAt) return one.scheduledAt > other.scheduledAt;
  return one.id > other.id;
}

/**
 * One turn of a worker on a range: takes the lease, checks the status, then works page by page with
 * a checkpoint after each. The lease runs until this invocation can no longer run, so that it never
 * expires under a living writer. Another worker, and a task that will discard what was written
 * here, waits for it.
 */

import { EMPTY_DIGEST } from '../../domain/datasets/digest.ts';
import { defined } from '../../domain/defined.ts';
import type { Migration } from '../../domain/moving/migration.ts';
import {
  isLeased,
  type Lease,
  LONGEST_LEASE,
  type Progress,
  type RangeRecord,
  type Work,
  withoutLease,
} from '../../domain/moving/range-record.ts';
import { isAnothers } from '../../domain/moving/workers.ts';
import type { Realm } from '../../domain/realm.ts';
import { Fault } from '../../domain/refusal.ts';
import { DAY_SECONDS } from '../../domain/time.ts';
import type { Checkpoint, Horizon, Ports } from '../../ports.ts';
import { giveLeaseBack, leaseOf, shortenOverlong } from './leases.ts';

/** Id and time limit of an invocation. */
export interface Invocation {
  readonly id: string;
  /** Epoch milliseconds after which it cannot run any more. */
  readonly deadline: number;
}

/** The state of a range after a turn. */
export interface RangeEnd {
  /** Nothing is left to do on it in this execution. */
  readonly over: boolean;
  /** Seconds until a further turn is worthwhile. */
  readonly waitSeconds: number;
  /** Another worker of the same execution has it, and finishes it. */
  readonly isAnothers?: boolean;
  /** Nothing was done: it was finished before, or another invocation has it. */
  readonly isIdle?: boolean;
}

/** A side of the work, and how to go on with it from a checkpoint. */
export interface Side {
  readonly side: 'source' | 'target';
  readonly pages: (
    horizon: Horizon,
    from: Checkpoint | undefined,
    until: number,
    rateLimit: number | undefined,
  ) => AsyncIterable<Checkpoint>;
}

/** The work that a task does on a range. */
export interface RangeWork {
  readonly work: Work;
  /** The realm whose ledger keeps the range: the one that writes. */
  readonly realm: Realm;
  readonly sides: readonly Side[];
  /** Items per second for this range at most, whatever an operator allows beyond that. */
  readonly mostPerSecond?: number;
  /**
   * Reads ledger and fence again, strongly consistently; throws `PermanentError` when this work
   * must not go on.
   */
  readonly check: () => Promise<void>;
  /**
   * Called when all sides are done: throws, or returns that the work must begin again, or other
   * work before it.
   */
  readonly conclude?: (record: RangeRecord) => Promise<Verdict>;
}

export interface TurnPlan extends RangeWork {
  readonly migration: Migration;
  readonly range: string;
  /** The worker that this is a turn of, as `workerId` names it. The claim has no workers. */
  readonly worker?: string;
  /** Number of the worker's turn, from 1 on. */
  readonly turn: number;
  /** Epoch milliseconds from which on no new page is begun; one page is always worked on. */
  readonly until: number;
  /** Writes per second. */
  readonly rateLimit: number | undefined;
}

/**
 * `repair`: the next attempt of the phase begins with this work, once, and then comes back to the
 * present work.
 */
export type Verdict = 'done' | 'again' | { readonly repair: Work };

/**
 * A turn ends early enough that the last page, and giving the lease back, still fit into the
 * invocation.
 */
const LONGEST_TURN = 240_000;
export const TURN_RESERVE_MS = 15_000;
/**
 * How often, and how long, a worker waits for another's lease before it waits for the end of that
 * lease.
 */
const SOON_TURNS = 5;
const SOON_SECONDS = 2;
/** Items that expire within this time after the window need not be there any more at the commit. */
const LASTING_DAYS = 7;

/** When a turn that begins now ends. */
export const endOfTurn = (now: number, { deadline }: Invocation): number =>
  Math.min(now + LONGEST_TURN, deadline - TURN_RESERVE_MS);

export async function rangeTurn(
  ports: Ports,
  plan: TurnPlan,
  invocation: Invocation,
): Promise<RangeEnd> {
  const { rangeRecords, clock, isGone } = ports;
  const { migration, work, realm, until } = plan;
  const rateLimit = lowest(plan.rateLimit, plan.mostPerSecond);
  const where = { realm, key: migration };
  const stored = await rangeRecords.read(realm, migration, plan.range);
  if (stored?.work === work && stored.done) return { over: true, waitSeconds: 0, isIdle: true };
  const isTaken = (found: RangeRecord | undefined): found is RangeRecord =>
    isLeased(found ?? {}, clock.now(), isGone) && found?.lease?.owner !== invocation.id;
  const taken = async (found: RangeRecord): Promise<RangeEnd> => {
    const { lease } = await shortenOverlong(ports, where, found);
    return {
      over: false,
      waitSeconds: waitFor(lease?.until ?? 0, plan.turn, clock.now()),
      // A lease of other work is left from a state whose workers have ended: none of them waits.
      isAnothers: found.work === work && isAnothers(lease, plan.worker),
      isIdle: true,
    };
  };
  if (isTaken(stored)) return taken(stored);
  const lease: Lease = { ...leaseOf(invocation), ...defined({ worker: plan.worker }) };
  const asked: RangeRecord = { ...begun(stored, plan, clock.now()), lease };
  let record: RangeRecord | undefined;

  /** Only the holder of the lease writes the record; its two sides take turns. */
  let saving = Promise.resolve();
  const save = (change: (current: RangeRecord) => RangeRecord) => {
    saving = saving.then(async () => {
      if (record === undefined) throw lost(plan);
      record = await rangeRecords.put(realm, migration, change(record));
      if (record === undefined) throw lost(plan);
    });
    return saving;
  };

  const horizon = { asOf: asked.asOf, lastingUntil: asked.lastingUntil };
  try {
    // Within the `try`: after a fault it is unknown whether the lease was taken, and then it is
    // given back.
    record = await rangeRecords.put(realm, migration, asked);
    if (record === undefined) {
      const winner = await rangeRecords.read(realm, migration, plan.range);
      return isTaken(winner) ? taken(winner) : { over: false, waitSeconds: 1, isIdle: true };
    }
    await plan.check();
    const ends = await Promise.allSettled(
      plan.sides.map((side) => advanceSide(side, record?.[side.side])),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    const isDone = plan.sides.every(({ side }) => record?.[side]?.done);
    const verdict = isDone ? await (plan.conclude?.(record) ?? 'done') : 'unfinished';
    await save((current) => {
      if (verdict === 'again') return begunAgain(current, plan, clock.now());
      if (typeof verdict === 'object') return toRepair(current, plan, verdict.repair, clock.now());
      return { ...withoutLease(current), done: verdict === 'done' };
    });
    return { over: verdict === 'done' || typeof verdict === 'object', waitSeconds: 0 };
  } catch (error) {
    // All writers of this invocation have stopped by then, so that the next worker need not wait.
    await saving.catch(() => undefined);
    await giveLeaseBack(ports, where, asked, invocation, error);
    throw error;
  }

  async function advanceSide({ side, pages }: Side, from: Progress | undefined): Promise<void> {
    if (from?.done) return;
    for await (const checkpoint of pages(horizon, from, until, rateLimit)) {
      const saved = save((current) => ({ ...current, [side]: progressOf(checkpoint) }));
      // Saves and checks in parallel: one cross-region round trip. Whether or not the checkpoint is
      // saved, the work goes on only if it is still wanted.
      const ends = await Promise.allSettled([saved, checkpoint.done ? undefined : plan.check()]);
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
      if (checkpoint.done) return;
    }
  }
}

const lowest = (...limits: readonly (number | undefined)[]): number | undefined => {
  const set = limits.filter((limit) => limit !== undefined);
  return set.length === 0 ? undefined : Math.min(...set);
};

/** A holder that still runs is done soon; one that has died lets its lease run out. */
function waitFor(until: number, turn: number, now: number): number {
  const seconds = Math.ceil(Math.min(until - now, LONGEST_LEASE) / 1000) + 1;
  return turn <= SOON_TURNS ? Math.min(SOON_SECONDS, seconds) : seconds;
}

/**
 * Not permanent: the write may have been this worker's, with its reply lost. The next invocation
 * waits for the lease, and reads the record.
 */
const lost = ({ range }: TurnPlan) => new Fault(`range ${range} was changed by another worker`);

/** The stored work goes on; another kind of work begins from nothing. */
function begun(stored: RangeRecord | undefined, plan: TurnPlan, now: number): RangeRecord {
  if (stored?.work === plan.work) return stored;
  return {
    ...fresh(plan.range, plan, now),
    revision: stored?.revision ?? 0,
    ...keptOf(stored),
    ...(stored?.work === 'clear' && stored.done ? { cleared: true } : {}),
  };
}

function begunAgain(record: RangeRecord, plan: TurnPlan, now: number): RangeRecord {
  const { revision, tries } = record;
  return { ...fresh(record.range, plan, now), revision, tries: tries + 1, ...keptOf(record) };
}

function toRepair(record: RangeRecord, plan: TurnPlan, work: Work, now: number): RangeRecord {
  const { revision, range } = record;
  return { ...fresh(range, { ...plan, work }, now), revision, ...keptOf(record), repaired: true };
}

/** The fields that a range keeps when other work begins on it. */
const keptOf = ({ cleared, repaired }: Partial<RangeRecord> = {}): Partial<RangeRecord> =>
  defined({ cleared, repaired });

function fresh(range: string, { work, migration }: TurnPlan, now: number): RangeRecord {
  const end = Date.parse(migration.facts?.endTime ?? migration.scheduledAt);
  return {
    range,
    revision: 0,
    work,
    asOf: Math.floor(now / 1000),
    lastingUntil: Math.floor(end / 1000) + LASTING_DAYS * DAY_SECONDS,
    tries: 0,
    done: false,
  };
}

const progressOf = ({ cursor, done, digest = EMPTY_DIGEST, changed }: Checkpoint): Progress => ({
  ...defined({ cursor }),
  done,
  digest,
  changed,
});

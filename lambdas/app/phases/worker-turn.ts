/**
 * One turn of a worker: range after range, its own and then others', until its invocation's time is
 * over. The number of workers of a phase is set when an attempt begins. Where an operator has
 * changed it since, all workers end, and the next attempt begins with the new number.
 */
import type { Range } from '../../domain/datasets/dataset.ts';
import type { Migration } from '../../domain/moving/migration.ts';
import { isLeased, type RangeRecord } from '../../domain/moving/range-record.ts';
import { writesOf } from '../../domain/moving/turn-limits.ts';
import { othersOf, ownOf, type Worker, workersFor } from '../../domain/moving/workers.ts';
import type { Realm } from '../../domain/realm.ts';
import type { AppContext } from '../app-context.ts';
import { endOfTurn, type Invocation, type RangeEnd, type TurnPlan } from './range-turn.ts';

export interface Turn {
  readonly number: number;
  /**
   * This iteration of the Map ends: nothing is left for this worker, or the next attempt does the
   * rest.
   */
  readonly over: boolean;
  readonly waitSeconds: number;
}

/** What the worker shares with the others of its Map. */
export interface Shift {
  readonly migration: Migration;
  /** The realm whose ledger keeps the ranges. */
  readonly realm: Realm;
  readonly ranges: readonly Range[];
  readonly worker: Worker;
  /** Names the worker, as `workerId` does. */
  readonly id: string;
  /** Number of the turn of this worker, from 1 on. */
  readonly number: number;
  /** Turns that each worker may take. */
  readonly turns: number;
  /** Whether a record says that nothing is left to do on its range in this execution. */
  readonly isOver: (record: RangeRecord | undefined) => boolean;
  /** A turn on one range. `undefined` where this execution has nothing to do on any range. */
  readonly turnOn: (
    range: Range,
    limits: Pick<TurnPlan, 'turn' | 'until' | 'rateLimit'>,
  ) => Promise<RangeEnd | undefined>;
}

export async function workerTurn(
  { ports, settings }: Pick<AppContext, 'ports' | 'settings'>,
  { migration, realm, ranges, worker, id, number, turns, isOver, turnOn }: Shift,
  invocation: Invocation,
): Promise<Turn> {
  const { rangeRecords, clock, isGone } = ports;
  const over: Turn = { number, over: true, waitSeconds: 0 };
  const { concurrency = settings.concurrency, rateLimit } = await ports.settings.read(
    realm,
    migration.tenant,
  );
  if (workersFor(ranges.length, concurrency).length !== worker.of) return over;
  const until = endOfTurn(clock.now(), invocation);

  const isShared = ranges.length > worker.of;
  // A worker with one range alone need not read the records of all.
  let view = await viewOf(isShared || rateLimit !== undefined);
  const own = ownOf(worker, ranges);
  // On these an earlier turn of this worker has died, and no other worker waits for them.
  const begun = isShared ? othersOf(worker, ranges).filter(view.isHeldByThis) : [];
  const mine = [...own.filter(view.isOpen), ...begun];

  /** Seconds until a further turn on each remaining range is worthwhile. */
  const left: number[] = [];
  const isTime = () => clock.now() < until;
  for (const [at, range] of mine.entries()) {
    if (at > 0 && !isTime()) return another(0);
    const end = await turnOn(range, limitsOf(range));
    if (end === undefined) return over;
    if (!end.over && !end.isAnothers) left.push(end.waitSeconds);
  }
  const tried = new Set(mine);
  while (isShared) {
    if (tried.size > 0) view = await viewOf(true);
    const free = othersOf(worker, ranges).filter(
      (range) => view.isFree(range) && !tried.has(range),
    );
    if (free.length === 0) break;
    for (const range of free) {
      if (!isTime()) return another(0);
      tried.add(range);
      const end = await turnOn(range, limitsOf(range));
      if (end === undefined) return over;
      if (!end.over && end.waitSeconds === 0) left.push(0);
      // Another worker was quicker, so the view is out of date.
      if (end.isIdle) break;
    }
  }
  return left.length === 0 ? over : another(Math.min(...left));

  /** The next turn of this worker, if it may take one. */
  function another(waitSeconds: number): Turn {
    return number >= turns ? over : { number, over: false, waitSeconds };
  }

  function limitsOf(range: Range) {
    const share = rateLimit && writesOf(rateLimit, range, view.open, worker.of);
    return { turn: number, until, rateLimit: share };
  }

  /** What the records say now of the ranges; without them, that each is open and free. */
  async function viewOf(isRead: boolean) {
    const records = isRead ? await rangeRecords.list(realm, migration) : [];
    const recordOf = new Map(records.map((record) => [record.range, record]));
    const open = ranges.filter(({ id }) => !isOver(recordOf.get(id)));
    const openOnes = new Set(open);
    const isOpen = (range: Range) => !isRead || openOnes.has(range);
    const leaseOn = ({ id: range }: Range) => {
      const record = recordOf.get(range);
      return record && isLeased(record, clock.now(), isGone) ? record.lease : undefined;
    };
    return {
      open,
      isOpen,
      isFree: (range: Range) => isOpen(range) && leaseOn(range) === undefined,
      isHeldByThis: (range: Range) => isOpen(range) && leaseOn(range)?.worker === id,
    };
  }
}

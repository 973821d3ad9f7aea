/**
 * One turn of a worker: range after range, its own and then others', until the time of its invocation is over. How many
 * workers a phase has is decided when an attempt begins; when an operator has changed it since, all end, and the next attempt
 * begins with as many as may now work.
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
  /** This iteration of the Map ends: nothing is left for this worker, or the next attempt goes on with it. */
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
  /** Of this worker, from 1 on. */
  readonly number: number;
  /** Turns that each worker may take. */
  readonly turns: number;
  /** Whether a record says that nothing is left to do on its range in this execution. */
  readonly isOver: (record: RangeRecord | undefined) => boolean;
  /** A turn on one range. `undefined` where this execution has nothing to do on any. */
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
  const records =
    isShared || rateLimit !== undefined ? await rangeRecords.list(realm, migration) : [];
  const recordOf = new Map(records.map((record) => [record.range, record]));
  const open = ranges.filter(({ id }) => !isOver(recordOf.get(id)));
  const openOnes = new Set(open);
  const isLeft = (range: Range) => !isShared || openOnes.has(range);
  const isFree = ({ id }: Range) => {
    const record = recordOf.get(id);
    return record === undefined || !isLeased(record, clock.now(), isGone);
  };
  const own = ownOf(worker, ranges).filter(isLeft);
  // An earlier turn of this worker has died on these, and no other worker waits for them.
  const begun = (range: Range) => !isFree(range) && recordOf.get(range.id)?.lease?.worker === id;
  const others = isShared ? othersOf(worker, ranges).filter(isLeft) : [];
  const mine = [...own, ...others.filter(begun)];

  /** Seconds until each range that is left is worth another look. */
  const left: number[] = [];
  for (const [at, range] of [...mine, ...others.filter(isFree)].entries()) {
    if (at > 0 && clock.now() >= until) {
      left.push(0);
      break;
    }
    const share = rateLimit && writesOf(rateLimit, range, open, worker.of);
    const end = await turnOn(range, { turn: number, until, rateLimit: share });
    if (end === undefined) return over;
    // A range is waited for by the worker that has it, or else by the worker whose own it is.
    const isMine = at < mine.length && !end.isAnothers;
    if (!end.over && (isMine || end.waitSeconds === 0)) left.push(end.waitSeconds);
  }
  if (left.length === 0 || number >= turns) return over;
  return { number, over: false, waitSeconds: Math.min(...left) };
}

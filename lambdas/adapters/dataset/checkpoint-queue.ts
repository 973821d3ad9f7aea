/**
 * Stands between the writer and the recorder of one range. It says when the writer may go on, so
 * that a death costs a bounded number of writes, and which checkpoint the recorder saves next.
 */
import type { Checkpoint, Clock } from '../../ports.ts';
import { BATCH, MOST_IN_FLIGHT } from './adaptive-rate.ts';
import type { WireWrite } from './item-wire.ts';

/**
 * A page of work, or a part of one: what to write, and what is true once all of it has been
 * acknowledged.
 */
export interface WriteStep<W = WireWrite> {
  readonly writes: readonly W[];
  readonly checkpoint: Checkpoint;
  /** 1 for a whole page of 1 MB, 0.25 for a quarter. */
  readonly pages: number;
  /**
   * The pages of it that are written, where fewer are written than read: 0 for a step that only
   * reads. The rest is not kept, and costs a death no writes.
   */
  readonly written?: number;
}

/** A step whose checkpoint is known only once all writes of it and of earlier steps are done. */
export interface LateStep<W> extends Omit<WriteStep<W>, 'checkpoint'> {
  /** Called once, when they are done. */
  readonly checkpoint: () => Checkpoint;
}
type AnyStep = WriteStep<unknown> | LateStep<unknown>;

/** Shares of a page need not add up to 1 in the last bit. */
export const WHOLE_PAGE = 0.999;
/** Writes that may be unrecorded: a full window, and beyond it one page. */
const WINDOW_WRITES = MOST_IN_FLIGHT * BATCH;
/** Pages that may be unrecorded: where items are large, this bounds the memory. */
const UNRECORDED_PAGES = 6;
/**
 * A checkpoint costs write units of the ledger's key, which all ranges of a tenant share: one is
 * saved for each page that is written, or for what was done in this time. A worker that only reads
 * passes a dozen pages a second.
 */
const RECORDING_MS = 1_000;

/** An amount of work; pages that are written. */
interface Amount {
  readonly writes: number;
  readonly pages: number;
}
const NOTHING: Amount = { writes: 0, pages: 0 };
const amountOf = ({ writes, pages, written = pages }: AnyStep): Amount => ({
  writes: writes.length,
  pages: written,
});
const sum = (one: Amount, other: Amount): Amount => ({
  writes: one.writes + other.writes,
  pages: one.pages + other.pages,
});
const difference = (one: Amount, other: Amount): Amount => ({
  writes: one.writes - other.writes,
  pages: one.pages - other.pages,
});

/** A checkpoint that has become true, and the work that it covers beyond the one before it. */
interface TrueCheckpoint extends Amount {
  readonly checkpoint: Checkpoint;
}

export function checkpointQueue(clock: Clock) {
  const change = signal();
  /** What each side is doing. */
  let writer: 'writes' | 'waits for room' | 'has ended' = 'writes';
  let recorder: 'asks' | 'records' | 'has left' = 'asks';
  let failure: { readonly error: unknown } | undefined;

  /** True checkpoints that are not being recorded yet; the oldest first. */
  const waiting: TrueCheckpoint[] = [];
  /** Given to the recorder at `givenAt` (epoch milliseconds), and not known to be saved. */
  let given: TrueCheckpoint | undefined;
  let givenAt = clock.now();
  /** Everything handed to the window whose checkpoint is not saved. */
  let unrecorded = NOTHING;
  /** Runs where the recorder has not returned at once, and so is really saving. */
  let busyTimer: NodeJS.Immediate | undefined;

  const isClosed = () => recorder === 'has left' || failure !== undefined;

  function hasRoomFor({ writes, pages }: Amount): boolean {
    const writesOfPage = pages > 0 ? writes / pages : 0;
    return (
      unrecorded.pages + pages <= UNRECORDED_PAGES &&
      unrecorded.writes + writes <= WINDOW_WRITES + writesOfPage
    );
  }

  /**
   * True for a written page, or the work of a second; and for less where no write under way could
   * make it more.
   */
  const isWorthRecording = ({ pages, writes }: TrueCheckpoint) =>
    pages >= WHOLE_PAGE ||
    (writer === 'waits for room' && writes === unrecorded.writes) ||
    writer === 'has ended' ||
    failure !== undefined ||
    clock.now() - givenAt >= RECORDING_MS;

  /** The newest checkpoint covers all that became true before it. */
  function joinWaiting(): void {
    const newest = waiting.at(-1);
    if (newest === undefined) return;
    const all = waiting.reduce<Amount>(sum, NOTHING);
    waiting.splice(0, waiting.length, { ...all, checkpoint: newest.checkpoint });
  }

  return {
    isClosed,

    /**
     * Writer: waits until the step may be handed to the window, and counts it; `false` when none
     * may be any more.
     */
    async awaitRoom(step: AnyStep): Promise<boolean> {
      const amount = amountOf(step);
      while (!hasRoomFor(amount) && !isClosed()) {
        if (writer === 'writes') {
          writer = 'waits for room';
          change.wake();
        }
        await change.wait();
      }
      writer = 'writes';
      unrecorded = sum(unrecorded, amount);
      return !isClosed();
    },

    /** Writer: all writes up to the end of this step are acknowledged. */
    acknowledge(step: AnyStep): void {
      const checkpoint =
        typeof step.checkpoint === 'function' ? step.checkpoint() : step.checkpoint;
      const last = waiting.at(-1);
      const joins = last !== undefined && (recorder === 'records' || last.pages < WHOLE_PAGE);
      if (joins) waiting.splice(-1, 1, { ...sum(last, amountOf(step)), checkpoint });
      else waiting.push({ ...amountOf(step), checkpoint });
      change.wake();
    },

    writerEnds(): void {
      writer = 'has ended';
      change.wake();
    },

    writerFails(error: unknown): void {
      failure ??= { error };
      change.wake();
    },

    /**
     * Recorder: the given checkpoint is saved, and the next is asked for; `undefined` at the end.
     * Throws what the writer threw.
     */
    async nextToRecord(): Promise<Checkpoint | undefined> {
      clearImmediate(busyTimer);
      if (recorder === 'records') joinWaiting();
      recorder = 'asks';
      if (given !== undefined) {
        unrecorded = difference(unrecorded, given);
        given = undefined;
        change.wake();
      }
      for (;;) {
        const [oldest] = waiting;
        if (oldest !== undefined && isWorthRecording(oldest)) {
          waiting.shift();
          given = oldest;
          givenAt = clock.now();
          busyTimer = setImmediate(() => {
            recorder = 'records';
          });
          return oldest.checkpoint;
        }
        if (failure !== undefined) throw failure.error;
        if (writer === 'has ended') return undefined;
        await change.wait();
      }
    },

    recorderLeaves(): void {
      clearImmediate(busyTimer);
      recorder = 'has left';
      change.wake();
    },
  };
}

/** All waiting callers go on at the next `wake`, and look again. */
function signal() {
  let next = Promise.withResolvers<void>();
  return {
    wait: () => next.promise,
    wake(): void {
      next.resolve();
      next = Promise.withResolvers();
    },
  };
}

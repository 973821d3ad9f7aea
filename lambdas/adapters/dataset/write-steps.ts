/** What every work that writes has in common: it goes on while its progress is recorded, and says how far it is when it is true. */
import type { Checkpoint, Clock } from '../../ports.ts';
import type { WireWrite } from './item-wire.ts';
import { BATCH, MOST_IN_FLIGHT } from './write-pace.ts';
import type { WriteWindow } from './write-window.ts';

/** A page of work, or a part of one: what to write, and what is true once all of it has been acknowledged. */
export interface Step {
  readonly writes: readonly WireWrite[];
  readonly checkpoint: Checkpoint;
  /** 1 for a whole page of 1 MB, 0.25 for a quarter. */
  readonly pages: number;
}

/**
 * A worker that dies has written in vain what no recorded checkpoint covers: a window at most, and the page that its
 * last writes are from. More is not handed to the window, though it may be read ahead.
 */
const WINDOW = MOST_IN_FLIGHT * BATCH;
/** Where a page has few items, because they are large, this bounds the memory. */
const PAGES_AHEAD = 6;
/** A checkpoint costs units, too: one for each page, or for what was done in so many milliseconds. */
const RECORDING_MS = 1_000;

/**
 * Yields the checkpoint of a step after its writes, and those of all earlier steps, have been acknowledged; of those that
 * come true while the consumer is recording an earlier one, the newest alone. Writing goes on in the meantime. Takes no
 * new step once `until` has come, and returns, also when it is closed in between, after the last write in flight.
 */
export async function* acknowledged(
  steps: AsyncGenerator<Step>,
  window: Pick<WriteWindow, 'write' | 'close'>,
  clock: Clock,
  until: number,
): AsyncGenerator<Checkpoint> {
  const progress = progressOf(clock);
  const pump = writeAll().then(progress.end, progress.fail);
  try {
    for (let next = await progress.next(); next !== undefined; next = await progress.next())
      yield next;
  } finally {
    progress.stop();
    await window.close();
    await pump;
    await steps.return(undefined);
  }

  async function writeAll(): Promise<void> {
    let earlier = Promise.resolve();
    let pages = 0;
    // A whole page at least: a turn without progress would be followed by others.
    const isDue = () => clock.now() >= until && pages >= WHOLE;
    for await (const step of steps) {
      if (!(await progress.hasRoom(step)) || isDue()) break;
      const written = window.write(step.writes);
      earlier = earlier.then(() => written).then(() => progress.reach(step));
      earlier.catch(progress.fail);
      pages += step.pages;
      if (isDue()) break;
    }
    if (!progress.isStopped()) await earlier;
  }
}

/** Quarters need not add up to the last bit. */
const WHOLE = 0.999;

interface Extent {
  readonly writes: number;
  readonly pages: number;
}
const extentOf = ({ writes, pages }: Step): Extent => ({ writes: writes.length, pages });
const plus = (one: Extent, other: Extent): Extent => ({
  writes: one.writes + other.writes,
  pages: one.pages + other.pages,
});
const minus = (one: Extent, other: Extent): Extent => ({
  writes: one.writes - other.writes,
  pages: one.pages - other.pages,
});

/** A checkpoint that is true, and what it covers beyond the one before it. */
interface Reached extends Extent {
  readonly checkpoint: Checkpoint;
}

/** The checkpoints between whoever writes and whoever records. */
function progressOf(clock: Clock) {
  const reached: Reached[] = [];
  let recording: Reached | undefined;
  /** Handed to the window, and not recorded. */
  let ahead: Extent = { writes: 0, pages: 0 };
  let yieldedAt = clock.now();
  let isFull = false;
  let isAway = false;
  let isOver = false;
  let isStopped = false;
  let failure: { readonly error: unknown } | undefined;
  let change = Promise.withResolvers<void>();
  /** Not a consumer that comes right back, but one that does something about the checkpoint. */
  let leaving: NodeJS.Immediate | undefined;

  function changed(): void {
    change.resolve();
    change = Promise.withResolvers();
  }

  function fits(step: Extent): boolean {
    const ofPage = step.writes / step.pages;
    return ahead.pages + step.pages <= PAGES_AHEAD && ahead.writes + step.writes <= WINDOW + ofPage;
  }

  /** Also less than a page, if nothing else is under way that could make it one. */
  const isWorthRecording = ({ pages, writes }: Reached) =>
    pages >= WHOLE ||
    (isFull && writes === ahead.writes) ||
    isOver ||
    failure !== undefined ||
    clock.now() - yieldedAt >= RECORDING_MS;

  /** Of all that has come true, the newest checkpoint is the one that counts. */
  function joinReached(): void {
    const newest = reached.at(-1);
    if (newest === undefined) return;
    const all = reached.reduce<Extent>(plus, { writes: 0, pages: 0 });
    reached.splice(0, reached.length, { ...all, checkpoint: newest.checkpoint });
  }

  return {
    isStopped: () => isStopped,
    reach(step: Step): void {
      const extent = extentOf(step);
      const last = reached.at(-1);
      if (last !== undefined && (isAway || last.pages < WHOLE)) {
        reached.splice(-1, 1, { ...plus(last, extent), checkpoint: step.checkpoint });
      } else reached.push({ ...extent, checkpoint: step.checkpoint });
      changed();
    },
    /** Waits until the step may be handed to the window, and counts it; `false` when none may be any more. */
    async hasRoom(step: Step): Promise<boolean> {
      const extent = extentOf(step);
      while (!fits(extent) && !isStopped) {
        if (!isFull) {
          isFull = true;
          changed();
        }
        await change.promise;
      }
      isFull = false;
      ahead = plus(ahead, extent);
      return !isStopped;
    },
    /** The consumer is back, and what was yielded is recorded; `undefined` at the end. */
    async next(): Promise<Checkpoint | undefined> {
      clearImmediate(leaving);
      if (isAway) joinReached();
      isAway = false;
      if (recording !== undefined) {
        ahead = minus(ahead, recording);
        recording = undefined;
        changed();
      }
      for (;;) {
        const [first] = reached;
        if (first !== undefined && isWorthRecording(first)) {
          recording = first;
          reached.shift();
          yieldedAt = clock.now();
          leaving = setImmediate(() => {
            isAway = true;
          });
          return first.checkpoint;
        }
        if (failure !== undefined) throw failure.error;
        if (isOver) return undefined;
        await change.promise;
      }
    },
    end(): void {
      isOver = true;
      changed();
    },
    fail(error: unknown): void {
      failure ??= { error };
      isStopped = true;
      changed();
    },
    stop(): void {
      isStopped = true;
      clearImmediate(leaving);
      changed();
    },
  };
}

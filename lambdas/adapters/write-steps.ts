/** What every work that writes has in common: it goes on while its progress is recorded, and says how far it is when it is true. */
import type { Checkpoint, Clock } from '../ports.ts';
import type { WireWrite } from './item-wire.ts';
import type { WriteWindow } from './write-window.ts';

/** About a page of work: what to write, and what is true once all of it has been acknowledged. */
export interface Step {
  readonly writes: readonly WireWrite[];
  readonly checkpoint: Checkpoint;
}

/**
 * Steps that are written, or being written, beyond the last checkpoint that was yielded: as many as keep a window full
 * while a checkpoint is recorded across an ocean (with four, a copy was half as fast). It bounds the memory, and what a
 * worker that dies has written in vain.
 */
const STEPS_AHEAD = 6;

/**
 * Yields each step's checkpoint after its writes, and those of all earlier steps, have been acknowledged; of those that
 * come true while the consumer is recording an earlier one, the newest alone. Writing goes on in the meantime. Takes no
 * new step once `until` has come, and returns, also when it is closed in between, after the last write in flight.
 */
export async function* acknowledged(
  steps: AsyncGenerator<Step>,
  window: Pick<WriteWindow, 'write' | 'close'>,
  clock: Clock,
  until: number,
): AsyncGenerator<Checkpoint> {
  const progress = progressOf();
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
    for await (const { writes, checkpoint } of steps) {
      const written = window.write(writes);
      earlier = earlier.then(() => written).then(() => progress.reach(checkpoint));
      earlier.catch(progress.fail);
      if (!(await progress.hasRoom()) || clock.now() >= until) break;
    }
    if (!progress.isStopped()) await earlier;
  }
}

/** The checkpoints between whoever writes and whoever records. */
function progressOf() {
  const reached: { readonly checkpoint: Checkpoint; readonly steps: number }[] = [];
  let ahead = 0;
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

  return {
    isStopped: () => isStopped,
    reach(checkpoint: Checkpoint): void {
      const passedOver = isAway ? reached.splice(0) : [];
      reached.push({ checkpoint, steps: passedOver.reduce((sum, { steps }) => sum + steps, 1) });
      changed();
    },
    /** Counts a step; resolves when the next may be taken, with `false` when none may be taken any more. */
    async hasRoom(): Promise<boolean> {
      ahead += 1;
      while (ahead >= STEPS_AHEAD && !isStopped) await change.promise;
      return !isStopped;
    },
    /** The consumer is back, and what was yielded is recorded; `undefined` at the end. */
    async next(): Promise<Checkpoint | undefined> {
      clearImmediate(leaving);
      isAway = false;
      for (;;) {
        const [first] = reached;
        if (first !== undefined) {
          reached.shift();
          ahead -= first.steps;
          leaving = setImmediate(() => {
            isAway = true;
          });
          changed();
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

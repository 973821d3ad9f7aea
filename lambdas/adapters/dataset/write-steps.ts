/**
 * The frame of every work that writes: steps are read, written and recorded at the same time, and a
 * checkpoint is given out only when it is true.
 *
 *     reader    ─ step 1 ─ step 2 ─ step 3 ─ step 4 ─ …        waits while too much is unrecorded
 *     window      ├─ writes of 1 ─┤                            many batches in flight
 *                      ├─ writes of 2 ──────┤
 *                           ├─ writes of 3 ─┤
 *     true                        1         3                  all writes up to here are done
 *     recorder                    ├─ save 1 ─┤├─ save 3 ─┤     3 also covers 2, true meanwhile
 *
 * A worker that dies loses what lies between the last saved checkpoint and the last write:
 * `checkpoint-queue.ts` bounds it.
 */
import type { Checkpoint, Clock } from '../../ports.ts';
import { checkpointQueue, type LateStep, WHOLE_PAGE, type WriteStep } from './checkpoint-queue.ts';
import type { WireWrite } from './item-wire.ts';

export type { LateStep, WriteStep } from './checkpoint-queue.ts';

/** As much of a write window as steps need. */
export interface StepWriter<W> {
  /** Resolves when all of these are acknowledged. */
  write(writes: readonly W[]): Promise<void>;
  /** Sends nothing more, and resolves when nothing is in flight. */
  close(): Promise<void>;
}

/**
 * Yields the checkpoint of a step after its writes, and those of all earlier steps, have been
 * acknowledged. While the consumer records one, later ones may become true; then only the newest
 * follows. Takes no new step once `until` (epoch milliseconds) has come, but always one whole page,
 * so that a turn makes progress. Returns after the last write in flight has ended, also when the
 * consumer closes it early.
 */
export async function* writeSteps<W = WireWrite>(
  steps: AsyncGenerator<WriteStep<W> | LateStep<W>>,
  window: StepWriter<W>,
  clock: Clock,
  until: number,
): AsyncGenerator<Checkpoint> {
  const queue = checkpointQueue(clock);
  const writer = writeAll().then(queue.writerEnds, queue.writerFails);
  try {
    let next = await queue.nextToRecord();
    while (next !== undefined) {
      yield next;
      next = await queue.nextToRecord();
    }
  } finally {
    queue.recorderLeaves();
    await window.close();
    await writer;
    await steps.return(undefined);
  }

  async function writeAll(): Promise<void> {
    let earlierSteps = Promise.resolve();
    let pages = 0;
    const isDue = () => clock.now() >= until && pages >= WHOLE_PAGE;
    for await (const step of steps) {
      if (!(await queue.awaitRoom(step)) || isDue()) break;
      const written = window.write(step.writes);
      written.catch(() => {}); // it may fail while earlier steps are awaited: they are asked first
      earlierSteps = earlierSteps.then(() => written).then(() => queue.acknowledge(step));
      earlierSteps.catch(queue.writerFails);
      pages += step.pages;
      if (isDue()) break;
    }
    if (!queue.isClosed()) await earlierSteps;
  }
}

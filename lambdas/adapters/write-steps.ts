/** What every work that writes has in common: it reads ahead, writes without waiting, and says how far it is when it is true. */
import type { WriteRequest } from '@aws-sdk/client-dynamodb';
import type { Checkpoint, Clock } from '../ports.ts';
import { oneAhead } from './range-reader.ts';
import type { WriteWindow } from './write-window.ts';

/** About a page of work: what to write, and what is true once all of it has been acknowledged. */
export interface Step {
  readonly writes: readonly WriteRequest[];
  readonly checkpoint: Checkpoint;
}

/** Steps whose writes may be under way while the next are read. With the one read ahead this bounds the memory. */
const STEPS_UNDER_WAY = 2;

/**
 * Yields each step's checkpoint after its writes, and those of all earlier steps, have been acknowledged. Takes no new
 * step once `until` has come, and returns, also when it is closed in between, after the last write in flight has ended.
 */
export async function* acknowledged(
  steps: AsyncGenerator<Step>,
  window: WriteWindow,
  clock: Clock,
  until: number,
): AsyncGenerator<Checkpoint> {
  const underWay: { readonly written: Promise<void>; readonly checkpoint: Checkpoint }[] = [];
  try {
    for await (const { writes, checkpoint } of oneAhead(steps)) {
      underWay.push({ written: window.write(writes), checkpoint });
      if (underWay.length > STEPS_UNDER_WAY) yield await oldest();
      if (clock.now() >= until) break;
    }
    while (underWay.length > 0) yield await oldest();
  } finally {
    await window.close();
  }

  async function oldest(): Promise<Checkpoint> {
    const [first] = underWay;
    if (first === undefined) throw new Error('no step is under way');
    await first.written;
    underWay.shift();
    return first.checkpoint;
  }
}

/**
 * Puts a window into one of the realm's lanes, for any store of lanes: each lane is one item that
 * changes by compare-and-set.
 */
import { isHeld, type Lane, laneFor, type Slot, withWindow } from '../../domain/moving/slots.ts';
import { Fault } from '../../domain/refusal.ts';

export interface StoredLane extends Lane {
  readonly revision: number;
}

export interface LaneStore {
  /** All stored lanes; each is read strongly consistently. */
  read(): Promise<readonly StoredLane[]>;
  /**
   * `false` when the stored revision is no longer the one that was read; 0 means that there is no
   * item.
   */
  put(lane: StoredLane): Promise<boolean>;
  /**
   * After a try that met another writer: waits a little, and returns whether there is time for
   * another try.
   */
  mayTryAgain(): Promise<boolean>;
}

/**
 * Returns whether the migration now has a lane, or had one before. It is refused only where all
 * lanes were taken at one moment: they are read twice, and must not have changed in between. A
 * crash after the write leaves the window of a migration that is not on record. The next try finds
 * it, or the janitor frees it.
 */
export async function takeLane(
  store: LaneStore,
  wanted: Slot,
  cap: number,
  now: number,
): Promise<boolean> {
  let refusedBy: string | undefined;
  for (;;) {
    const lanes = await store.read();
    if (isHeld(lanes, wanted)) return true;
    const number = laneFor(lanes, wanted, cap);
    if (number !== undefined) {
      const { windows, revision } = lanes.find((lane) => lane.number === number) ?? EMPTY;
      if (await store.put({ number, windows: withWindow(windows, wanted, now), revision }))
        return true;
      refusedBy = undefined;
    } else {
      const seen = JSON.stringify(lanes.map((lane) => [lane.number, lane.revision]));
      if (seen === refusedBy) return false;
      const isFirst = refusedBy === undefined;
      refusedBy = seen;
      if (isFirst) continue;
    }
    if (!(await store.mayTryAgain()))
      throw new Fault('the windows of this realm change too often while one more is being taken');
  }
}

const EMPTY = { windows: [], revision: 0 };

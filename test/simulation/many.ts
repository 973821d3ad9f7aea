/**
 * Plays many seeds on all processors: each process of this script takes the next slice when it has
 * played its last one.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { simulate } from './simulate.ts';
import { NOTHING, sum, type Tally, tallyOf } from './tally.ts';

export interface Slice {
  readonly from: number;
  readonly seeds: number;
  /** True: goes on after a seed that broke something. */
  readonly goesOn: boolean;
}

/** Small enough that all processors end at about the same time. */
const SLICE = 100;

/** Plays the seeds of a slice one after the other, up to the first that breaks something. */
export async function playAll({ from, seeds, goesOn }: Slice): Promise<Tally> {
  let tally = NOTHING;
  for (let seed = from; seed < from + seeds; seed += 1) {
    tally = sum(tally, tallyOf(await simulate(seed)));
    if (tally.broken.length > 0 && !goesOn) break;
  }
  return tally;
}

/** The same on several processes. `heard` gets the tally after each slice. */
export async function playOnAll(
  { from, seeds, goesOn }: Slice,
  processes: number,
  heard: (tally: Tally) => void,
): Promise<Tally> {
  let tally = NOTHING;
  let next = from;
  const takeSlice = (): Slice | undefined => {
    const isOver = next >= from + seeds || (tally.broken.length > 0 && !goesOn);
    if (isOver) return undefined;
    const slice = { from: next, seeds: Math.min(SLICE, from + seeds - next), goesOn };
    next += slice.seeds;
    return slice;
  };
  const add = (part: Tally) => {
    tally = sum(tally, part);
    heard(tally);
  };
  if (processes === 1) {
    for (let slice = takeSlice(); slice; slice = takeSlice()) add(await playAll(slice));
  } else await Promise.all(Array.from({ length: processes }, () => employ(takeSlice, add)));
  return tally;
}

/** A process that plays slices until there is none left. */
function employ(takeSlice: () => Slice | undefined, add: (tally: Tally) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = fork(SCRIPT, ['--slices']);
    let isDone = false;
    const give = () => {
      const slice = takeSlice();
      isDone = slice === undefined;
      if (slice === undefined) child.disconnect();
      else child.send(slice);
    };
    child.on('message', (tally: Tally) => {
      add(tally);
      give();
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (isDone) resolve();
      else reject(new Error(`a process that simulates has ended with ${code}`));
    });
    give();
  });
}

const SCRIPT = new URL('./run.ts', import.meta.url).pathname;

/** The process that `employ` starts. */
export function playSlices(): void {
  process.on('message', async (slice: Slice) => {
    process.send?.(await playAll(slice));
  });
}

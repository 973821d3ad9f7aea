/** A clock that stands still until a test moves it. */
import type { Clock } from '../../lambdas/ports.ts';

export interface ManualClock extends Clock {
  /** Milliseconds; only forward. */
  advance(milliseconds: number): void;
  /** Epoch milliseconds; an earlier time than now is ignored. */
  advanceTo(time: number): void;
  /** As when an operator sets the clock of the machine back. Milliseconds. */
  setBack(milliseconds: number): void;
}

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export function manualClock(start: string = '2026-12-25T12:00:00.000Z'): ManualClock {
  let now = Date.parse(start);
  return {
    now: () => now,
    advance(milliseconds) {
      now += Math.max(0, milliseconds);
    },
    advanceTo(time) {
      now = Math.max(now, time);
    },
    setBack(milliseconds) {
      now -= milliseconds;
    },
  };
}

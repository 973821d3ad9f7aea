/**
 * Finds how fast one range may be written. Until the first throttle the number of batches in flight
 * grows with every success. From then on a rate counts: each throttle cuts it to what was accepted,
 * and in between it grows (additive increase, multiplicative decrease).
 */

export interface AdaptiveRate {
  /** Most batches in flight. */
  width(): number;
  /** Most writes in the next batch. */
  batch(): number;
  /** Milliseconds until the next batch may be sent. */
  wait(): number;
  sent(writes: number): void;
  /** The result of a batch that was sent at `sentAt` (`now()` at that time). */
  answered(sentAt: number, accepted: number, refused: number): void;
  /** Monotonic, in milliseconds. */
  now(): number;
}

/** DynamoDB's limit of writes in a request; its limit of bytes is in `item-wire.ts`. */
export const BATCH = 25;
/**
 * Enough for 40,000 writes a second over a round trip of 100 ms; the CPU of one process is the
 * limit before that. A worker that dies may lose this many batches.
 */
export const MOST_IN_FLIGHT = 160;
const FIRST_IN_FLIGHT = 4;
/** Accepted writes are counted over this time. */
const MEMORY_MS = 1_000;
/**
 * The rate is computed from at least this many answers, however old: one or two would be chance.
 */
const FEW_ANSWERS = 8;
const SHORTEST_MS = 50;
/**
 * A cut shows in the accepted writes only after this time. Until then, another cut follows only if
 * the rate is far too high.
 */
const SETTLE_MS = 250;
/**
 * The first cuts may follow each other sooner: DynamoDB's burst capacity made the first answers
 * look too good.
 */
const FIRST_CUTS = 4;
const FIRST_SETTLE_MS = 60;
/**
 * The window doubles in a round trip, but in no less than this: with a short round trip it would
 * overshoot.
 */
const DOUBLING_MS = 100;
/** At a low rate, batches are made smaller rather than rarer: one lasts this long. */
const SMALL_BATCH_SECONDS = 0.25;
/** Time lost to a late timer, or to parsing a page, is caught up to this limit. */
const CATCH_UP_MS = 50;
/** Writes per second; a tenth of what one partition takes. */
const LEAST_RATE = 100;

interface Answer {
  readonly at: number;
  readonly accepted: number;
}

/** What one request carries at most, and how many are in flight: at first, and at most. */
export interface RequestSizes {
  readonly batch: number;
  readonly first: number;
  readonly most: number;
}

const OF_TABLES: RequestSizes = { batch: BATCH, first: FIRST_IN_FLIGHT, most: MOST_IN_FLIGHT };

/** `rateLimit` (writes per second) is never exceeded, even where the store would take more. */
export function adaptiveRate(
  now: () => number = () => performance.now(),
  rateLimit: number = Number.POSITIVE_INFINITY,
  sizes: RequestSizes = OF_TABLES,
): AdaptiveRate {
  const answers: Answer[] = [];
  let startedAt: number | undefined;
  let width = sizes.first;
  /** Writes per second at the last cut; infinite before the first. */
  let base = Number.POSITIVE_INFINITY;
  let cutAt = Number.NEGATIVE_INFINITY;
  let cuts = 0;
  let nextAt = Number.NEGATIVE_INFINITY;

  /**
   * 5 % more after half a second without a throttle, 15 % after one, 75 % after two: a cap that was
   * lifted is found in seconds.
   */
  const rate = () =>
    Math.min(rateLimit, base * (1 + 0.05 * (4 ** Math.min(8, (now() - cutAt) / 1000) - 1)));

  function answered(sentAt: number, accepted: number, refused: number): void {
    answers.push({ at: now(), accepted });
    while (answers.length > FEW_ANSWERS && (answers[0]?.at ?? 0) < now() - MEMORY_MS)
      answers.shift();
    if (refused === 0 && cuts === 0) {
      width = Math.min(sizes.most, width + Math.min(1, (now() - sentAt) / DOUBLING_MS));
    }
    // What was sent before the last cut says nothing about the rate after it: at most one cut per
    // round trip.
    if (refused > 0 && sentAt > cutAt) cut(sentAt);
  }

  const settleMs = () => (cuts < FIRST_CUTS ? FIRST_SETTLE_MS : SETTLE_MS);

  /** Writes per second that were accepted lately. */
  function acceptedRate(): number {
    const since = Math.min(Math.max(cutAt, now() - MEMORY_MS), now() - settleMs());
    const recent = answers.filter(
      ({ at }, index) => at >= since || index >= answers.length - FEW_ANSWERS,
    );
    const from = Math.max(startedAt ?? since, Math.min(since, recent[0]?.at ?? since));
    const accepted = recent.reduce((sum, answer) => sum + answer.accepted, 0);
    return (accepted * 1000) / Math.max(SHORTEST_MS, now() - from);
  }

  /**
   * To a little less than what was accepted, but never at once by more than half: one moment may be
   * a bad one.
   */
  function cut(sentAt: number): void {
    const accepted = acceptedRate();
    const isFirst = cuts === 0;
    const current = isFirst ? (width * sizes.batch * 1000) / Math.max(1, now() - sentAt) : rate();
    if (accepted > current / 2 && now() - cutAt < settleMs()) return;
    // not all ranges at the same instant, to the same rate
    const wanted = accepted * (0.94 + 0.03 * Math.random());
    const least = isFirst && accepted > 0 ? 0 : current / 2;
    base = Math.max(LEAST_RATE, least, Math.min(wanted, current * 0.95));
    cutAt = now();
    cuts += 1;
    width = sizes.most;
    nextAt = Math.max(nextAt, cutAt);
  }

  return {
    now,
    width: () => Math.floor(width),
    batch: () => Math.max(1, Math.min(sizes.batch, Math.floor(rate() * SMALL_BATCH_SECONDS))),
    wait: () => Math.max(0, nextAt - now()),
    sent(writes) {
      startedAt ??= now();
      nextAt = Math.max(nextAt, now() - CATCH_UP_MS) + (writes / rate()) * 1000;
    },
    answered,
  };
}

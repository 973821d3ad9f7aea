/**
 * The rate of a write window, in simulated time and against a simulated cap that the window has to
 * find.
 */
import { describe, expect, test } from 'vitest';
import { adaptiveRate } from '../../lambdas/adapters/dataset/adaptive-rate.ts';

interface World {
  readonly roundTripMs: number;
  /** Writes per second, by the time in milliseconds. */
  readonly cap: (at: number) => number;
  readonly burstSeconds?: number;
  readonly writes: number;
  readonly rateLimit?: number;
}

interface Flight {
  readonly at: number;
  readonly sentAt: number;
  readonly accepted: number;
  readonly refused: number;
}

/**
 * Writes everything, event by event; returns when it was done, and how many writes were refused.
 */
function simulate({ roundTripMs, cap, burstSeconds = 1, writes, rateLimit }: World) {
  let [now, left, refusedInAll, done] = [0, writes, 0, 0];
  let tokens = 0.3 * cap(0); // unused while the work was being prepared
  const rate = adaptiveRate(() => now, rateLimit);
  let flights: Flight[] = [];

  function forward(to: number): void {
    tokens = Math.min(cap(now) * burstSeconds, tokens + ((to - now) / 1000) * cap(now));
    now = to;
  }
  function send(): void {
    while (left > 0 && flights.length < rate.width() && rate.wait() === 0) {
      const batch = Math.min(left, rate.batch());
      const accepted = Math.min(batch, Math.floor(tokens));
      rate.sent(batch);
      tokens -= accepted;
      left -= batch;
      flights.push({ at: now + roundTripMs, sentAt: now, accepted, refused: batch - accepted });
    }
  }

  while (done < writes) {
    send();
    const wait =
      flights.length < rate.width() && left > 0 ? now + Math.max(0.01, rate.wait()) : Infinity;
    forward(Math.min(wait, ...flights.map(({ at }) => at)));
    for (const { sentAt, accepted, refused } of flights.filter(({ at }) => at <= now)) {
      rate.answered(sentAt, accepted, refused);
      done += accepted;
      left += refused;
      refusedInAll += refused;
    }
    flights = flights.filter(({ at }) => at > now);
  }
  return { seconds: now / 1000, rate: (writes * 1000) / now, refused: refusedInAll / writes };
}

describe('the rate of a write window', () => {
  test.each([
    [1, 20],
    [40, 400],
    [900, 9_000],
    [5_000, 20_000],
  ])('never passes a rateLimit of %d a second, and comes up to it', (rateLimit, writes) => {
    const free = simulate({
      roundTripMs: 11,
      cap: () => Number.MAX_SAFE_INTEGER,
      writes,
      rateLimit,
    });
    expect(free.rate).toBeLessThanOrEqual(rateLimit * 1.1);
    expect(free.rate).toBeGreaterThanOrEqual(rateLimit * 0.9);
  });

  test.each([
    [1_000, 11, 20_000],
    [1_000, 96, 20_000],
    [4_000, 11, 40_000],
    [4_000, 96, 40_000],
    [200, 11, 4_000],
  ])('finds a cap of %d a second over %d ms', (cap, roundTripMs, writes) => {
    const { rate, refused } = simulate({ roundTripMs, cap: () => cap, writes });
    expect(rate / cap).toBeGreaterThan(0.96);
    expect(refused).toBeLessThan(0.1);
  });

  test('loses little where nothing unused is kept for long', () => {
    const { rate } = simulate({
      roundTripMs: 11,
      cap: () => 1_000,
      burstSeconds: 0.1,
      writes: 20_000,
    });
    expect(rate / 1_000).toBeGreaterThan(0.9);
  });

  test('rises without a limit of its own where there is no cap', () => {
    const { rate } = simulate({ roundTripMs: 96, cap: () => 1e9, writes: 100_000 });
    expect(rate).toBeGreaterThan(20_000);
  });

  test('follows a cap that is lifted, and one that is lowered', () => {
    const lifted = simulate({
      roundTripMs: 11,
      cap: (at) => (at < 5_000 ? 1_000 : 4_000),
      writes: 45_000,
    });
    expect(lifted.seconds).toBeLessThan(5 + 10 + 4);
    const lowered = simulate({
      roundTripMs: 11,
      cap: (at) => (at < 5_000 ? 4_000 : 1_000),
      writes: 30_000,
    });
    expect(lowered.seconds).toBeLessThan(5 + 10 + 2);
    expect(lowered.refused).toBeLessThan(0.1);
  });
});

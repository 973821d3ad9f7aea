/**
 * Sends requests to S3 as fast as S3 takes them: many in flight, at the rate of `adaptive-rate.ts`.
 * A request that S3 answers with `SlowDown` is sent again, and the rate is cut.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../../ports.ts';
import { isTransient } from '../../aws-errors.ts';
import { adaptiveRate, type RequestSizes } from '../adaptive-rate.ts';
import { isSlowDown } from './s3-errors.ts';

export interface RequestWindow {
  /** `items` is how many objects the request writes: a rate limit counts them. */
  run<T>(request: () => Promise<T>, items?: number): Promise<T>;
  /** Sends nothing more, refuses what waits, and resolves when nothing is in flight. */
  close(): Promise<void>;
  /** Requests that S3 told to slow down; each refusal counts. */
  throttled(): number;
}

/** S3 takes thousands of requests a second for a prefix; a request lasts about 100 ms. */
export const MOST_REQUESTS = 1_000;
const SIZES: RequestSizes = { batch: 1, first: 16, most: MOST_REQUESTS };
/** How often a request is sent when the server or the network fails. */
const TRIES = 5;
/** After this time without one accepted request, throttling is treated as an error. */
const STALLED_MS = 30_000;

interface Waiting {
  readonly items: number;
  readonly send: () => Promise<void>;
  readonly refuse: (error: Error) => void;
}

/** The client must not retry by itself (`maxAttempts: 1`), or it hides the throttles. */
export function requestWindow(
  clock: Clock,
  rateLimit?: number,
  sizes: RequestSizes = SIZES,
): RequestWindow {
  const rate = adaptiveRate(undefined, rateLimit, sizes);
  const queue: Waiting[] = [];
  const inFlight = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let lastProgress = clock.now();
  let closed = false;
  let throttled = 0;

  function run<T>(request: () => Promise<T>, items = 1): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    promise.catch(() => {}); // the caller may await it later
    async function send(): Promise<void> {
      const sentAt = rate.now();
      rate.sent(items);
      try {
        const answer = await offered(request);
        lastProgress = clock.now();
        rate.answered(sentAt, items, 0);
        resolve(answer);
      } catch (error) {
        if (!isSlowDown(error) || closed || clock.now() - lastProgress > STALLED_MS) {
          reject(error);
          return;
        }
        throttled += 1;
        rate.answered(sentAt, 0, items);
        queue.unshift(waiting);
      }
    }
    const waiting: Waiting = { items, send, refuse: reject };
    if (closed) reject(windowClosed());
    else {
      if (inFlight.size === 0 && queue.length === 0) lastProgress = clock.now();
      queue.push(waiting);
      fill();
    }
    return promise;
  }

  /** Sends it again where the server or the network fails: every request here is safe to repeat. */
  async function offered<T>(request: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await request();
      } catch (error) {
        if (isSlowDown(error) || !isTransient(error) || tries === TRIES || closed) throw error;
        await pause((0.5 + Math.random()) * 50 * 2 ** tries);
      }
    }
  }

  function fill(): void {
    clearTimeout(timer);
    while (!closed && inFlight.size < rate.width()) {
      const [first] = queue;
      if (first === undefined) return;
      const wait = rate.wait();
      if (wait > 0) {
        timer = setTimeout(fill, wait);
        return;
      }
      queue.shift();
      const flight = first.send().finally(() => {
        inFlight.delete(flight);
        fill();
      });
      inFlight.add(flight);
    }
  }

  return {
    run,
    async close() {
      closed = true;
      clearTimeout(timer);
      while (inFlight.size > 0) await Promise.all(inFlight);
      for (const { refuse } of queue.splice(0)) refuse(windowClosed());
    },
    throttled: () => throttled,
  };
}

const windowClosed = () => new Error('the window was closed before this was sent');

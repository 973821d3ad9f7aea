/**
 * The part kind over S3: copies, compares, restores and purges a part that is a prefix of a bucket.
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { Range } from '../../../domain/datasets/dataset.ts';
import type { S3Part } from '../../../domain/datasets/s3-part.ts';
import { NOTHING_COUNTED, type RangeSize } from '../../../domain/datasets/size.ts';
import type { Realm } from '../../../domain/realm.ts';
import type { Checkpoint, Clock, Difference, PartKind } from '../../../ports.ts';
import { oneAhead } from '../range-reader.ts';
import { type LateStep, type WriteStep, writeSteps } from '../write-steps.ts';
import { type ObjectObstacles, objectObstacles, sayObstacles } from './object-check.ts';
import { actionFor, differenceIn } from './object-compare.ts';
import { cursorText, parseCursor } from './object-cursor.ts';
import { digestSteps } from './object-digest.ts';
import { listObjects } from './object-list.ts';
import { describedPages, pairedPages } from './object-pages.ts';
import { isEmptyPrefix, purgeSteps } from './object-purge.ts';
import { OBJECT_LIMITS, type ObjectLimits, type ObjectSide, relativeKey } from './object-side.ts';
import { type ObjectStep, type ObjectWrite, objectSteps } from './object-steps.ts';
import { MOST_REQUESTS, type RequestWindow, requestWindow } from './request-window.ts';

export interface S3PartKindOptions {
  /** Clients that do not retry (`maxAttempts: 1`), so that the windows see every throttle. */
  readonly clientFor: (realm: Realm) => S3Client;
  /** A command of operators learns the account, and so the name, by asking. */
  readonly bucketOf: (part: S3Part, realm: Realm) => string | Promise<string>;
  readonly parts: readonly S3Part[];
  readonly clock: Clock;
  readonly limits?: Partial<ObjectLimits>;
  /** Requests of one range that are under way at once, on each side. */
  readonly mostRequests?: number;
  /** Called at the end of a turn with the number of requests that were sent again. */
  readonly onThrottled?: (requests: number) => void;
}

export function s3PartKind(options: S3PartKindOptions): PartKind {
  const { clientFor, bucketOf, parts, clock, onThrottled, mostRequests = MOST_REQUESTS } = options;
  const sizes = { batch: 1, first: Math.min(16, mostRequests), most: mostRequests };

  async function sideOf(range: Range, realm: Realm, rateLimit?: number): Promise<ObjectSide> {
    const part = parts.find(({ name }) => name === range.part);
    if (part === undefined) throw new Error(`no part is called ${range.part}`);
    const limits = { ...OBJECT_LIMITS, ...options.limits };
    return {
      client: clientFor(realm),
      window: requestWindow(clock, rateLimit, sizes),
      bucket: await bucketOf(part, realm),
      part,
      prefix: range.partition,
      limits: { ...limits, pageKeys: pageKeysAt(rateLimit, limits.pageKeys) },
    };
  }

  async function* run(
    steps: AsyncGenerator<LateStep<ObjectWrite> | WriteStep<ObjectWrite>>,
    windows: readonly RequestWindow[],
    until: number,
  ): AsyncGenerator<Checkpoint> {
    const writer = {
      async write(writes: readonly ObjectWrite[]): Promise<void> {
        await Promise.all(writes.map((write) => write()));
      },
      async close(): Promise<void> {
        await Promise.all(windows.map((window) => window.close()));
      },
    };
    try {
      yield* writeSteps(steps, writer, clock, until);
    } finally {
      const throttled = windows.reduce((sum, window) => sum + window.throttled(), 0);
      if (throttled > 0) onThrottled?.(throttled);
    }
  }

  return {
    async *copy(range, source, target, _horizon, from, until, rateLimit) {
      if (from?.done) return yield from;
      const [one, other] = [
        reading(await sideOf(range, source), rateLimit),
        await sideOf(range, target, rateLimit),
      ];
      yield* run(copySteps(one, other, from), [one.window, other.window], until);
    },

    async *digest(range, realm, _horizon, from, until) {
      if (from?.done) return yield from;
      const side = await sideOf(range, realm);
      yield* run(digestSteps(side, from), [side.window], until);
    },

    async *restore(range, source, target, _horizon, from, until, rateLimit) {
      if (from?.done) return yield from;
      const [one, other] = [
        reading(await sideOf(range, source), rateLimit),
        await sideOf(range, target, rateLimit),
      ];
      // Listings and HEADs of the target are no writes, which alone are limited.
      const seen = reading(await sideOf(range, target), rateLimit);
      const windows = [one.window, seen.window, other.window];
      yield* run(restoreSteps(one, seen, other, from), windows, until);
    },

    async *purge(range, realm, from, until, rateLimit) {
      if (from?.done) return yield from;
      const side = await sideOf(range, realm, rateLimit);
      yield* run(purgeSteps(side, from), [side.window], until);
    },

    isEmpty: async (range, realm) => isEmptyPrefix(await sideOf(range, realm)),

    size: async (range, realm, until, from) =>
      sizeOf(await sideOf(range, realm), clock, until, from),

    async differences(range, source, target, _horizon, limit) {
      const [one, other] = [await sideOf(range, source), await sideOf(range, target)];
      const found: Difference[] = [];
      for await (const { pairs } of pairedPages(one, other, undefined)) {
        const all = await Promise.all(pairs.map((pair) => differenceIn(one, other, pair)));
        found.push(...all.filter((difference) => difference !== undefined));
        if (found.length >= limit) return found.slice(0, limit);
      }
      return found;
    },

    async obstacles(range, realm, until, from) {
      const side = await sideOf(range, realm);
      const before: ObjectObstacles | undefined = from?.cursor && JSON.parse(from.cursor);
      const found = await objectObstacles(side, clock, until, before);
      // What is dropped is never copied: only a lock stands in the way of its purge.
      const isDropped = side.part.policy === 'drop';
      const says = sayObstacles(isDropped ? { ...found, customerKey: 0, archived: 0 } : found);
      return found.complete
        ? { says, complete: true }
        : { says, complete: false, cursor: JSON.stringify(found) };
    },
  };
}

/** Under a rate limit a page holds at most what may be written in this time. */
const PAGE_SECONDS = 2;
const pageKeysAt = (rateLimit: number | undefined, most: number): number =>
  rateLimit === undefined
    ? most
    : Math.max(1, Math.min(most, Math.floor(rateLimit * PAGE_SECONDS)));

/** A side that is read in the pages of a write that is limited. */
const reading = (side: ObjectSide, rateLimit: number | undefined): ObjectSide => ({
  ...side,
  limits: { ...side.limits, pageKeys: pageKeysAt(rateLimit, side.limits.pageKeys) },
});

async function* copySteps(
  source: ObjectSide,
  target: ObjectSide,
  from: Checkpoint | undefined,
): AsyncGenerator<ObjectStep> {
  const steps = objectSteps(source, target, from);
  const { after } = steps.start;
  for await (const { objects, lastKey } of oneAhead(describedPages(source, after)))
    yield* steps.page(
      objects.map((object) => ({ action: 'copy', object })),
      lastKey,
    );
}

async function* restoreSteps(
  source: ObjectSide,
  seen: ObjectSide,
  target: ObjectSide,
  from: Checkpoint | undefined,
): AsyncGenerator<ObjectStep> {
  const steps = objectSteps(source, target, from);
  const { after } = steps.start;
  for await (const { pairs, lastKey } of oneAhead(pairedPages(source, seen, after))) {
    const actions = await Promise.all(pairs.map((pair) => actionFor(source, seen, pair)));
    yield* steps.page(
      actions.filter((action) => action !== undefined),
      lastKey,
    );
  }
}

/** The current versions: what moves. */
async function sizeOf(
  side: ObjectSide,
  clock: Clock,
  until: number,
  from: RangeSize = NOTHING_COUNTED,
): Promise<RangeSize> {
  if (from.complete) return from;
  let { items, bytes } = from;
  for await (const { objects, lastKey } of listObjects(side, parseCursor(from.cursor).after)) {
    items += objects.length;
    bytes += objects.reduce((sum, { size }) => sum + size, 0);
    if (lastKey === undefined) break;
    const cursor = cursorText({ after: relativeKey(side, lastKey) });
    if (clock.now() >= until) return { items, expired: 0, bytes, complete: false, cursor };
  }
  return { items, expired: 0, bytes, complete: true };
}

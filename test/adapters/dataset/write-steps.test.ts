/** Writing goes on while a checkpoint is recorded: which checkpoints the consumer gets. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type WriteStep, writeSteps } from '../../../lambdas/adapters/dataset/write-steps.ts';
import { systemClock } from '../../../lambdas/adapters/system-clock.ts';
import { EMPTY_DIGEST } from '../../../lambdas/domain/datasets/digest.ts';
import { last } from '../../support/part-kind-suite.ts';

const PAGES = 60;
const NO_WRITES = { write: async () => {}, close: async () => {} };

/** Pages that are read at once. */
async function* pages(): AsyncGenerator<WriteStep> {
  for (let page = 1; page <= PAGES; page += 1) {
    const done = page === PAGES;
    const checkpoint = { cursor: `${page}`, done, digest: EMPTY_DIGEST, changed: 0 };
    yield { writes: [], checkpoint, pages: 1 };
  }
}

test('a reader that is ahead of its recorder has its newest checkpoint recorded, not each of them', async () => {
  const recorded: number[] = [];
  const until = Number.POSITIVE_INFINITY;
  for await (const { cursor } of writeSteps(pages(), NO_WRITES, systemClock, until)) {
    recorded.push(Number(cursor));
    await pause(5);
  }
  expect(recorded.at(-1)).toBe(PAGES);
  expect(recorded).toEqual([...recorded].sort((a, b) => a - b));
  // At most six pages are read ahead: while one checkpoint is recorded, the next one covers the
  // five pages after it.
  expect(recorded.length).toBeLessThan(PAGES / 2);
});

test('a consumer that comes right back sees every checkpoint', async () => {
  const seen: number[] = [];
  const until = Number.POSITIVE_INFINITY;
  for await (const { cursor } of writeSteps(pages(), NO_WRITES, systemClock, until))
    seen.push(Number(cursor));
  expect(seen).toEqual(Array.from({ length: PAGES }, (_, at) => at + 1));
});

test('a reader that writes next to nothing has one checkpoint recorded a second, and its last one', async () => {
  let now = 0;
  const clock = { now: () => now };
  async function* readings() {
    for await (const step of pages()) {
      now += 100;
      yield { ...step, written: 0.01 };
    }
  }
  const recorded: number[] = [];
  const until = Number.POSITIVE_INFINITY;
  for await (const { cursor } of writeSteps(readings(), NO_WRITES, clock, until))
    recorded.push(Number(cursor));
  expect(recorded.at(-1)).toBe(PAGES);
  // Six seconds, and the end.
  expect(recorded).toHaveLength(7);
});

test('a step that fails while an earlier one is still written fails the turn, and nothing else', async () => {
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => unhandled.push(error);
  process.prependListener('unhandledRejection', hear);
  const first = Promise.withResolvers<void>();
  let writes = 0;
  const writer = {
    write: (): Promise<void> => {
      writes += 1;
      return writes === 1 ? first.promise : Promise.reject(new Error('the second step failed'));
    },
    close: async () => {},
  };
  const turn = last(writeSteps(pages(), writer, systemClock, Number.POSITIVE_INFINITY));
  await expect.poll(() => writes).toBeGreaterThan(1);
  await pause(20); // Node reports a rejection that has no handler after its next turn
  first.resolve();
  await expect(turn).rejects.toThrow('the second step failed');
  process.off('unhandledRejection', hear);
  expect(unhandled).toEqual([]);
});

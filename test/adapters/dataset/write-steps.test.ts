/** Work that goes on while its progress is recorded: which checkpoints its consumer gets to see. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type WriteStep, writeSteps } from '../../../lambdas/adapters/dataset/write-steps.ts';
import { systemClock } from '../../../lambdas/adapters/system-clock.ts';
import { EMPTY_DIGEST } from '../../../lambdas/domain/datasets/digest.ts';

const PAGES = 60;
const NO_WRITES = { write: async () => {}, close: async () => {} };

/** Pages to be read, each in no time. */
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
  // Six pages are read ahead at most: one is being recorded, and the next record covers the five that came meanwhile.
  expect(recorded.length).toBeLessThan(PAGES / 2);
});

test('a consumer that comes right back sees every checkpoint', async () => {
  const seen: number[] = [];
  const until = Number.POSITIVE_INFINITY;
  for await (const { cursor } of writeSteps(pages(), NO_WRITES, systemClock, until))
    seen.push(Number(cursor));
  expect(seen).toEqual(Array.from({ length: PAGES }, (_, at) => at + 1));
});

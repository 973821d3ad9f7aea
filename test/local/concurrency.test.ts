/** How many functions of the local host run at once. */
import { expect, test } from 'vitest';
import { atMost } from '../../lib/local/functions/concurrency.ts';

test('so many run at once, in their order, and a failure gives its place to the next', async () => {
  const limited = atMost(2);
  const began: number[] = [];
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const runs = gates.map((gate, number) =>
    limited(async () => {
      began.push(number);
      await gate.promise;
      return number;
    }),
  );
  const settled = Promise.allSettled(runs);
  const soon = () => new Promise<void>((resolve) => setImmediate(resolve));
  await soon();
  expect(began).toEqual([0, 1]);
  gates[1]?.reject(new Error('a function failed'));
  await soon();
  expect(began).toEqual([0, 1, 2]);
  for (const gate of gates) gate.resolve();
  expect((await settled).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
  expect(began).toEqual([0, 1, 2, 3, 4]);
});

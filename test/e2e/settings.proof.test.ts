/** Settings that an operator changes during a move: they count from the next turn on. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sizeOf } from '../../lib/entries.ts';
import { facts, startWorld, type World } from '../support/world.ts';

let world: World;
/** A turn of a worker ends 15 seconds before its function would: here, after a second. */
const timeoutSecondsOf = (entry: string) =>
  entry.endsWith('-range') ? 16 : sizeOf(entry).timeoutSeconds;

beforeAll(async () => {
  world = await startWorld({ timeoutSecondsOf });
});
afterAll(() => world[Symbol.asyncDispose]());

test('a gate that is narrowed before the copy, and lifted in the middle of it, holds until it is lifted', async () => {
  const site = await world.installed('slowly');
  const [count, gate] = [600, 20];
  const rows = Array.from({ length: count }, (_, row) => ({ tenant: 'slowly', id: `row ${row}` }));
  await world.put('us', 'templates', ...rows);
  const set = (rateLimit: number | null) =>
    world.host.invoke('de', 'tasks/operate', {
      verb: 'set',
      ledger: 'de',
      tenant: 'slowly',
      actor: 'ada',
      settings: { rateLimit },
    });
  await set(gate);
  await world.scheduled(site, 1);
  const begun = performance.now();
  await world.hook(site, 'start', 1, facts('DE'));
  const copied = async () => (await world.items('slowly', 'de')).size;
  while ((await copied()) < gate) await pause(50);
  await pause(2_500);
  const seconds = (performance.now() - begun) / 1000;
  const slowly = await copied();
  expect(slowly).toBeGreaterThan(gate);
  expect(slowly).toBeLessThanOrEqual(gate * (seconds + 1));
  expect(await set(null)).toMatchObject({ outcome: 'set', settings: {} });
  const lifted = performance.now();
  while ((await copied()) < count) await pause(50);
  expect((performance.now() - lifted) / 1000).toBeLessThan((count - slowly) / gate);
  await world.until(site, 1, ['ready-to-commit']);
  expect(await world.items('slowly', 'de')).toEqual(await world.items('slowly', 'us'));
});

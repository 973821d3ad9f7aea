/** Copying ahead is declared by the vendor, and a stage can switch it off. */
import { afterEach, expect, test } from 'vitest';
import { FEWER_SHARDS, startWorld, type World } from '../support/world.ts';

let world: World | undefined;
afterEach(() => world?.[Symbol.asyncDispose]());

test.each([
  [undefined, true],
  ['off', false],
])('with COPY_AHEAD %s, the janitor begins it: %s', async (setting, isBegun) => {
  world = await startWorld({
    residency: { ...FEWER_SHARDS, copyAhead: { hoursBefore: 24, above: '1 second' } },
    env: setting === undefined ? {} : { COPY_AHEAD: setting },
  });
  const site = await world.installed('acme');
  await world.fill('acme', 'us');
  await world.scheduled(site, 1);
  await world.host.invoke('us', 'tasks/measure', {});
  const counted = await world.migration('us', 'acme', 1);
  expect(counted?.estimate?.seconds).toBeGreaterThan(1);
  await world.host.invoke('us', 'tasks/janitor', {});
  const migration = await world.migration('us', 'acme', 1);
  expect([migration?.status, migration?.phase]).toEqual([
    'scheduled',
    isBegun ? 'ahead' : undefined,
  ]);
});

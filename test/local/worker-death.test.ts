/**
 * A worker that is killed in the middle of its work: what its workflow sees, what it leaves behind,
 * and which worker goes on.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, facts, startWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const failuresIn = (realm: string) =>
  world.host
    .executions(realm)
    .flatMap(({ history }) => history)
    .filter(({ what }) => what === 'failed');

describe('a worker that is killed while it copies', () => {
  test('is replaced by one that goes on at once, and every item arrives', async () => {
    const site = await world.installed('killed');
    await world.fill('killed', 'us', 200);
    await world.fill('spared', 'us', 20);
    const before = await world.items('killed', 'us');
    const deaths: string[] = [];
    world.host.deaths.killNextWorker('killed', ({ realm, entry }) =>
      deaths.push(`${entry} in ${realm}`),
    );
    await world.scheduled(site, 1);
    await world.hook(site, 'start', 1, facts('DE'));
    // A dead worker's lease lasts five minutes, unless its owner is known to be dead.
    await world.until(site, 1, ['ready-to-commit']);
    expect(deaths).toHaveLength(1);
    expect(deaths[0]).toMatch(/^tasks\/(copy|verify)-range in de$/);
    expect(failuresIn('de')).toMatchObject([{ error: 'Runtime.ExitError' }]);
    await world.hook(site, 'commit', 1);
    await world.until(site, 1, ['committed']);
    expect(await world.items('killed', 'de')).toEqual(before);
    expect(await world.countAll('killed', 'us')).toBe(0);
  });

  test('can be reprieved, and one of another tenant is left alone', async () => {
    const site = await world.installed('reprieved');
    await world.fill('reprieved', 'us', 20);
    const deaths: string[] = [];
    world.host.deaths.killNextWorker('reprieved', ({ entry }) => deaths.push(entry));
    world.host.deaths.spareNextWorker();
    await world.ready(site, 1);
    world.host.deaths.killNextWorker('somebody else', ({ entry }) => deaths.push(entry));
    await world.hook(site, 'rollback', 1);
    await world.until(site, 1, ['rolled-back']);
    await eventually(() => world.host.executions('de')[0]?.status === 'SUCCEEDED');
    expect(deaths).toEqual([]);
  });
});

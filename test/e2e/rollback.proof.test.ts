/**
 * Moves that are undone, from every status, on real parts. Forge apps run the tests that carry a
 * tenant's record and names back, are answered by another realm, or use an event of Forge. The
 * others depend on the ledger, the workflow and the items, where a caller is only an id.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testIf } from '../support/doors.ts';
import { DOORS, facts, startWorld, type World } from '../support/world.ts';

describe.each(DOORS)('behind the door %s:', (door) => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ door, env: { COMMIT_GRACE_SECONDS: '1' } });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  /** Runs once, because it is the same by Connect and by Forge. */
  const testOnce = testIf(door === 'connect');
  /**
   * Runs by a client key and by an installation; a site that changed from one to the other adds
   * nothing.
   */
  const testEach = testIf(door !== 'both');

  async function rolledBack(site: Parameters<World['hook']>[0], id: number): Promise<void> {
    expect((await world.hook(site, 'rollback', id)).status).toBe(200);
    await world.until(site, id, ['rolled-back']);
    expect(await world.hook(site, 'rollback', id)).toMatchObject({
      status: 200,
      body: { status: 'rolled-back' },
    });
  }

  async function expectHome(
    tenant: string,
    before: Awaited<ReturnType<World['items']>>,
  ): Promise<void> {
    expect(await world.items(tenant, 'us')).toEqual(before);
    expect(await world.record(tenant, 'us')).toMatchObject({ state: 'active' });
    expect(await world.countAll(tenant, 'de')).toBe(0);
    expect(await world.record(tenant, 'de')).toBeUndefined();
  }

  describe('a rollback', () => {
    test('of an unknown id is answered, and keeps a late schedule of that id from reviving it', async () => {
      const site = await world.installed('unknown');
      await rolledBack(site, 1);
      expect(await world.hook(site, 'schedule', 1, facts('DE'))).toMatchObject({
        status: 409,
        body: { errorResponseCode: 'E9999' },
      });
    });

    testOnce('of a scheduled migration is done at once', async () => {
      const site = await world.installed('scheduled');
      await world.fill('scheduled', 'us');
      const before = await world.items('scheduled', 'us');
      await world.scheduled(site, 2);
      expect((await world.hook(site, 'rollback', 2)).body).toEqual({ status: 'rolled-back' });
      await expectHome('scheduled', before);
    });

    testOnce('in the middle of the copy discards what was copied', async () => {
      const site = await world.installed('copying');
      await world.fill('copying', 'us', 500);
      const before = await world.items('copying', 'us');
      await world.scheduled(site, 3);
      await world.hook(site, 'start', 3, facts('DE'));
      await expect
        .poll(() => world.record('copying', 'de'), { interval: 5 })
        .toMatchObject({ state: 'standby' });
      await rolledBack(site, 3);
      await expectHome('copying', before);
    });

    testEach(
      'of a migration that is ready to commit discards the target, and leaves the source untouched',
      async () => {
        const site = await world.installed('ready');
        await world.fill('ready', 'us');
        const before = await world.items('ready', 'us');
        await world.ready(site, 4);
        expect((await world.items('ready', 'de')).size).toBe(80);
        await rolledBack(site, 4);
        await expectHome('ready', before);
        await world.moved(site, 5, 'DE');
        expect(await world.items('ready', 'de')).toEqual(before);
      },
    );

    testOnce(
      'of a migration that failed before its claim leaves alone what somebody has put there',
      async () => {
        const site = await world.installed('fails');
        await world.fill('fails', 'us');
        const before = await world.items('fails', 'us');
        await world.put('de', 'templates', {
          tenant: world.idOf('fails'),
          id: 'left here by somebody',
        });
        await world.scheduled(site, 6);
        await world.hook(site, 'start', 6, facts('DE'));
        await world.until(site, 6, ['failed']);
        expect((await world.hook(site, 'status', 6)).body).toEqual({
          status: 'failed',
          errorResponseCode: 'E9999',
        });
        // The status is written first, and then the fence is lifted.
        await expect.poll(() => world.record('fails', 'us')).toMatchObject({ state: 'active' });
        expect(await world.hook(site, 'start', 6, facts('DE'))).toMatchObject({
          status: 409,
          body: { errorResponseCode: 'E9999' },
        });
        await rolledBack(site, 6);
        expect(await world.items('fails', 'us')).toEqual(before);
        expect(await world.record('fails', 'us')).toMatchObject({ state: 'active' });
        expect(await world.countAll('fails', 'de')).toBe(1);
        expect(await world.record('fails', 'de')).toBeUndefined();
      },
    );

    testOnce('within the grace time brings back what was written in the target', async () => {
      const site = await world.installed('grace');
      await world.fill('grace', 'us');
      const before = await world.items('grace', 'us');
      await world.ready(site, 7);
      await world.hook(site, 'commit', 7);
      await world.put(
        'de',
        'templates',
        { tenant: world.idOf('grace'), id: 'new in de', title: 'new' },
        { tenant: world.idOf('grace'), id: 'templates-00001', title: 'changed in de' },
      );
      await rolledBack(site, 7);
      const after = await world.items('grace', 'us');
      expect(after.size).toBe(before.size + 1);
      expect([...after].filter(([key, hash]) => before.get(key) !== hash)).toHaveLength(2);
      await expectHome('grace', after);
    });

    testEach(
      'of a committed migration copies everything back: changed, new and deleted',
      async () => {
        const site = await world.installed('regrets');
        await world.fill('regrets', 'us');
        await world.ready(site, 8);
        await world.hook(site, 'commit', 8);
        await world.until(site, 8, ['committed']);
        expect(await world.countAll('regrets', 'us')).toBe(0);
        await world.put(
          'de',
          'exports',
          { tenant: `${world.idOf('regrets')}#01`, id: 'exports-00003', title: 'changed' },
          { tenant: `${world.idOf('regrets')}#00`, id: 'zzz', title: 'new' },
        );
        await world.remove('de', 'templates', {
          tenant: world.idOf('regrets'),
          id: 'templates-00000',
        });
        const inTarget = await world.items('regrets', 'de');
        expect(inTarget.size).toBe(80);
        await rolledBack(site, 8);
        await expectHome('regrets', inTarget);
        await world.moved(site, 9, 'DE');
        expect(await world.items('regrets', 'de')).toEqual(inTarget);
      },
    );

    testOnce(
      'of a site whose app became a Forge app after the commit keeps the installation',
      async () => {
        const site = await world.installed('updated');
        await world.fill('updated', 'us');
        const before = await world.items('updated', 'us');
        await world.moved(site, 14, 'DE');
        await world.atlassian.upgrade(site);
        // The tenant's realm learns the installation by its first hook there that may write.
        expect((await world.hook(site, 'rollback', 14)).status).toBe(200);
        site.home = world.host.urls['us'] ?? '';
        await world.until(site, 14, ['rolled-back']);
        await expectHome('updated', before);
        expect(await world.record('updated', 'us')).toMatchObject({
          installations: [{ id: site.installations[0] }],
        });
      },
    );

    testOnce(
      'of a committed migration whose tenant has moved on is answered, and changes nothing',
      async () => {
        const site = await world.installed('onwards');
        await world.fill('onwards', 'us');
        const before = await world.items('onwards', 'us');
        await world.moved(site, 10, 'DE');
        await world.ready(site, 11, 'EU');
        const reply = await world.hook(site, 'rollback', 10, {}, 'us');
        expect(reply).toMatchObject({ status: 200, body: { status: 'committed' } });
        expect(world.lines.some((line) => line.includes('its target has moved on'))).toBe(true);
        await world.hook(site, 'commit', 11);
        await world.until(site, 11, ['committed']);
        expect(await world.items('onwards', 'eu')).toEqual(before);
        expect(await world.countAll('onwards', 'us')).toBe(0);
        expect(await world.countAll('onwards', 'de')).toBe(0);
      },
    );

    test('by an uninstallation ends in a retired tenant, and a reinstallation finds the data', async () => {
      const site = await world.installed('uninstalls');
      await world.fill('uninstalls', 'us');
      const before = await world.items('uninstalls', 'us');
      await world.ready(site, 12);
      expect((await world.atlassian.uninstall(site)).status).toBe(204);
      await world.until(site, 12, ['rolled-back']);
      expect(await world.record('uninstalls', 'us')).toMatchObject({ state: 'retired' });
      expect(await world.countAll('uninstalls', 'de')).toBe(0);
      await world.atlassian.install(site);
      expect(await world.record('uninstalls', 'us')).toMatchObject({ state: 'active' });
      expect(await world.items('uninstalls', 'us')).toEqual(before);
    });

    testEach('that comes in the target is answered there', async () => {
      const site = await world.installed('misled');
      await world.fill('misled', 'us');
      const before = await world.items('misled', 'us');
      await world.ready(site, 13);
      expect((await world.hook(site, 'rollback', 13, {}, 'de')).status).toBe(200);
      await world.until(site, 13, ['rolled-back']);
      await expectHome('misled', before);
    });
  });
});

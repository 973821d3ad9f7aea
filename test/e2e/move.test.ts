/**
 * Whole moves on real parts: signed hooks over HTTP, the real ASL file, the embedded DynamoDB.
 *
 * Connect and Forge differ in how the caller is found (`Caller`: our id, and when the token was
 * issued), and in which names tenants' records and aliases have; `hook.ts` passes nothing else on.
 * So every test that gives a tenant a name, finds it in another realm, or carries its record there
 * runs for each of them. Tests of the ledger, the workflow and the items run once.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Site } from '../../lib/local/simulated-atlassian.ts';
import { testIf } from '../support/doors.ts';
import { DOORS, facts, startWorld, type World } from '../support/world.ts';

/** A Forge site has no secret. */
const secretOf = ({ cameBy, sharedSecret }: Site) =>
  cameBy === 'forge' ? { credentialsIat: 0 } : { sharedSecret };

describe.each(DOORS)('behind the door %s:', (door) => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ door });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  /** Runs once, because it is the same by Connect and by Forge. */
  const testOnce = testIf(door === 'connect');
  /**
   * Runs by a client key and by an installation; a site that changed from one to the other adds
   * nothing.
   */
  const testEach = testIf(door !== 'both');

  describe('a tenant that moves', () => {
    test('arrives with every item unchanged, and leaves nothing behind', async () => {
      const site = await world.installed('moves');
      await world.fill('moves', 'us');
      const before = await world.items('moves', 'us');
      expect(before.size).toBe(80);

      await world.moved(site, 1, 'DE');

      expect(await world.items('moves', 'de')).toEqual(before);
      expect(await world.countAll('moves', 'us')).toBe(0);
      expect(await world.countAll('moves', 'de')).toBe(80);
      expect(await world.record('moves', 'us')).toMatchObject({
        state: 'moved',
        movedTo: 'de',
        installation: '{}',
      });
      expect(await world.record('moves', 'us')).toHaveProperty('expiresAt');
      expect(await world.record('moves', 'de')).toMatchObject({
        state: 'active',
        arrivedBy: '1',
        ...(door !== 'forge' && {
          sharedSecret: site.sharedSecret,
          installation: expect.stringContaining('"clientKey":"moves"'),
        }),
      });
    });

    testOnce('leaves a receipt in both ledgers that proves the source empty', async () => {
      const site = await world.installed('receipts');
      await world.fill('receipts', 'us');
      await world.moved(site, 11, 'EU');
      for (const realm of ['us', 'eu']) {
        // The target's receipt is written after the status in the ledger.
        await expect
          .poll(() => world.receipt(realm, 'receipts', 11))
          .toMatchObject({ state: 'committed', source: 'us', target: 'eu' });
        const receipt = await world.receipt(realm, 'receipts', 11);
        expect(receipt?.checksums['templates']?.items).toBe(40);
        expect(receipt?.checksums['exports']?.items).toBe(40);
        expect(receipt?.provenEmpty?.ranges).toHaveLength(4);
        expect(receipt?.backupsExpire).toMatch(/^\d{4}-\d{2}-\d{2}$/);
      }
    });

    testOnce('takes its neighbours’ items neither along nor away', async () => {
      const site = await world.installed('tenant-1');
      const neighbours = ['tenant-10', 'tenant-1#00', 'tenant-1#'];
      for (const tenant of ['tenant-1', ...neighbours]) await world.fill(tenant, 'us', 17);
      const before = await Promise.all(neighbours.map((tenant) => world.items(tenant, 'us')));

      await world.moved(site, 2, 'AU');

      for (const [at, tenant] of neighbours.entries()) {
        expect(await world.items(tenant, 'us'), tenant).toEqual(before[at]);
        expect(await world.countAll(tenant, 'au'), tenant).toBe(0);
      }
      expect(await world.countAll('tenant-1', 'us')).toBe(0);
    });

    testEach('moves there and back again, and on', async () => {
      const site = await world.installed('returns');
      await world.fill('returns', 'us');
      const before = await world.items('returns', 'us');
      await world.moved(site, 3, 'SG');
      await world.put('sg', 'templates', {
        tenant: world.idOf('returns'),
        id: 'written in sg',
        title: 'new',
      });
      await world.moved(site, 4, 'US');
      expect((await world.items('returns', 'us')).size).toBe(before.size + 1);
      expect(await world.countAll('returns', 'sg')).toBe(0);
      expect(await world.record('returns', 'us')).toMatchObject({
        state: 'active',
        arrivedBy: '4',
      });
      await world.moved(site, 5, 'SG');
      expect((await world.items('returns', 'sg')).size).toBe(before.size + 1);
      expect(await world.countAll('returns', 'us')).toBe(0);
    });

    testOnce('without an item moves as well', async () => {
      const site = await world.installed('empty');
      await world.moved(site, 6, 'DE');
      expect(await world.record('empty', 'de')).toMatchObject({ state: 'active' });
    });

    testOnce('to where it is already is a no-op that is recorded', async () => {
      const site = await world.installed('stays');
      await world.fill('stays', 'us');
      const before = await world.items('stays', 'us');
      await world.scheduled(site, 7, 'US');
      expect((await world.hook(site, 'start', 7, facts('US'))).body).toEqual({
        status: 'ready-to-commit',
      });
      expect((await world.hook(site, 'commit', 7)).body).toEqual({ status: 'committed' });
      expect((await world.hook(site, 'status', 7)).body).toEqual({ status: 'committed' });
      expect((await world.hook(site, 'rollback', 7)).body).toEqual({ status: 'rolled-back' });
      expect(await world.items('stays', 'us')).toEqual(before);
      expect(await world.record('stays', 'us')).toMatchObject({ state: 'active' });
      expect(
        world.host
          .executions('us')
          .filter(({ input }) => JSON.stringify(input).includes('"stays"')),
      ).toEqual([]);
    });

    test('over data of an earlier, retired residency brings its own alone', async () => {
      const site = await world.installed('restarts', 'de');
      await world.fill('restarts', 'de', 30);
      await world.atlassian.uninstall(site);
      expect(await world.record('restarts', 'de')).toMatchObject({ state: 'retired' });
      site.home = world.host.urls['us'] ?? '';
      await world.atlassian.install(site);
      await world.put('us', 'templates', { tenant: world.idOf('restarts'), id: 'the only one' });
      const before = await world.items('restarts', 'us');
      await world.moved(site, 8, 'DE');
      expect(await world.items('restarts', 'de')).toEqual(before);
      const record = await world.record('restarts', 'de');
      expect(record).toMatchObject({ state: 'active' });
      expect(record).not.toHaveProperty('purgeDueAt');
    });

    test('takes a secret along that was renewed in the middle', async () => {
      const site = await world.installed('renews');
      await world.fill('renews', 'us');
      await world.ready(site, 9);
      await world.atlassian.install(site);
      expect(await world.record('renews', 'de')).toMatchObject({
        state: 'standby',
        ...secretOf(site),
      });
      expect((await world.hook(site, 'commit', 9)).status).toBe(200);
      await world.until(site, 9, ['committed']);
      expect(await world.record('renews', 'de')).toMatchObject({
        state: 'active',
        ...secretOf(site),
      });
      expect((await world.hook(site, 'status', 9, {}, 'de')).body).toEqual({ status: 'committed' });
    });

    testOnce('goes on when its app becomes a Forge app in the middle, unannounced', async () => {
      const site = await world.installed('updates');
      await world.fill('updates', 'us');
      const before = await world.items('updates', 'us');
      await world.ready(site, 10);
      await world.atlassian.upgrade(site);
      expect((await world.hook(site, 'status', 10)).body).toEqual({ status: 'ready-to-commit' });
      expect((await world.hook(site, 'commit', 10)).status).toBe(200);
      await world.until(site, 10, ['committed']);
      expect(await world.items('updates', 'de')).toEqual(before);
      const installations = [{ id: site.installations[0] }];
      expect(await world.record('updates', 'de')).toMatchObject({ state: 'active', installations });
      expect((await world.hook(site, 'status', 10, {}, 'de')).body).toEqual({
        status: 'committed',
      });
    });
  });

  describe('hooks that come twice, late, or at once', () => {
    test('end in the same state as once', async () => {
      const site = await world.installed('doubles');
      await world.fill('doubles', 'us');
      const before = await world.items('doubles', 'us');
      const twice = async (hook: 'schedule' | 'start' | 'commit', more = {}) => {
        const replies = await Promise.all([1, 2, 3].map(() => world.hook(site, hook, 21, more)));
        expect(
          replies.map(({ status }) => status),
          hook,
        ).toEqual([200, 200, 200]);
      };
      await twice('schedule', facts('DE'));
      await twice('start', facts('DE'));
      await world.until(site, 21, ['ready-to-commit']);
      await twice('start', facts('DE'));
      await twice('commit');
      await world.until(site, 21, ['committed']);
      await twice('commit');
      await twice('schedule', facts('DE'));
      expect(await world.items('doubles', 'de')).toEqual(before);
      expect(await world.countAll('doubles', 'us')).toBe(0);
    });

    test('are answered in the target as in the source', async () => {
      const site = await world.installed('misdirected');
      await world.fill('misdirected', 'us');
      await world.ready(site, 22);
      expect((await world.hook(site, 'status', 22, {}, 'de')).body).toEqual({
        status: 'ready-to-commit',
      });
      expect((await world.hook(site, 'schedule', 22, facts('DE'), 'de')).status).toBe(200);
      expect((await world.hook(site, 'start', 22, facts('DE'), 'de')).status).toBe(200);
      expect((await world.hook(site, 'commit', 22, {}, 'de')).body).toEqual({
        status: 'committing',
      });
      await world.until(site, 22, ['committed']);
      expect((await world.hook(site, 'commit', 22, {}, 'de')).body).toEqual({
        status: 'committed',
      });
    });

    testEach('without an id mean the open migration', async () => {
      const site = await world.installed('nameless');
      await world.fill('nameless', 'us');
      expect((await world.hook(site, 'schedule', undefined, facts('DE'))).status).toBe(200);
      expect((await world.hook(site, 'schedule', undefined, facts('DE'))).status).toBe(200);
      expect((await world.hook(site, 'start', undefined, facts('DE'))).status).toBe(200);
      await expect
        .poll(async () => (await world.hook(site, 'status', undefined)).body)
        .toEqual({ status: 'ready-to-commit' });
      expect((await world.hook(site, 'commit', undefined)).status).toBe(200);
      await expect.poll(() => world.record('nameless', 'us')).toHaveProperty('expiresAt');
      expect(await world.countAll('nameless', 'us')).toBe(0);
    });

    testOnce('schedule a newer migration in place of one that only waits', async () => {
      const site = await world.installed('supersedes');
      await world.fill('supersedes', 'us');
      await world.scheduled(site, 23);
      await world.scheduled(site, 24, 'EU');
      expect((await world.hook(site, 'status', 23)).body).toEqual({ status: 'rolled-back' });
      expect(await world.hook(site, 'start', 23, facts('DE'))).toMatchObject({
        status: 409,
        body: { errorResponseCode: 'E0001' },
      });
      await world.hook(site, 'start', 24, facts('EU'));
      expect(await world.hook(site, 'schedule', 25, facts('AU'))).toMatchObject({
        status: 409,
        body: { errorResponseCode: 'E0004' },
      });
      await world.until(site, 24, ['ready-to-commit']);
      await world.hook(site, 'commit', 24);
      await world.until(site, 24, ['committed']);
      expect(await world.countAll('supersedes', 'us')).toBe(0);
    });
  });
});

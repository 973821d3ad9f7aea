/** Tenants that were uninstalled, and have not come back for 30 days, are purged. */
import { describe, expect, test } from 'vitest';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { Fault } from '../../../lambdas/domain/refusal.ts';
import type { TenantRecord } from '../../../lambdas/domain/tenants/tenant.ts';
import { arrivalAt, TENANT, tenantRecord } from '../../support/builders.ts';
import { DAY, HOUR, MINUTE, manualClock, SECOND } from '../../support/clock.ts';
import type { Operation } from '../../support/in-memory-cells.ts';
import type { MemoryApp, MemoryAppOptions } from '../../support/memory-app.ts';
import { gateAt, interruptedAt, move, situation, tenantInUs } from '../../support/moves.ts';

const NEIGHBOUR = 'tenant-10';
let invocations = 0;

/** A tenant that was uninstalled `days` ago, beside one that was not. */
async function retired(days: number, options: MemoryAppOptions = {}): Promise<MemoryApp> {
  const app = tenantInUs(options);
  app.tenants.set('us', tenantRecord({ tenant: NEIGHBOUR }));
  app.fill('us', NEIGHBOUR);
  await uninstall(app);
  app.clock.advance(days * DAY);
  return app;
}

const uninstall = (app: MemoryApp, at: Realm = 'us') =>
  app.realm(at).lifecycle.uninstalled(TENANT, Math.floor(app.clock.now() / 1000));
const install = (app: MemoryApp, secret = 'secret-2') =>
  app.realm('us').lifecycle.installed(arrivalAt(app.clock, secret));
const recordIn = (app: MemoryApp, realm: Realm = 'us') => app.tenants.peek(realm, TENANT);

/** One invocation that has five minutes. */
function purge(app: MemoryApp, milliseconds = 5 * MINUTE, at: Realm = 'us'): Promise<void> {
  invocations += 1;
  const deadline = app.clock.now() + milliseconds;
  return app.realm(at).purgeRetired({ id: `purge-${invocations}`, deadline });
}

describe('a retired tenant that is due', () => {
  test('is purged, caches too, proven empty, signed off and forgotten; its neighbour is not', async () => {
    const app = await retired(31);
    const before = app.holdings('us', NEIGHBOUR);
    await purge(app);
    expect(situation(app)).toEqual({});
    expect(app.holdings('us', NEIGHBOUR)).toEqual(before);
    expect(app.tenants.peek('us', NEIGHBOUR)?.state).toBe('active');
    expect(await app.receipts.purges('us', TENANT)).toEqual([
      {
        tenant: TENANT,
        uninstalledIat: expect.any(Number),
        begunAt: new Date(app.clock.now()).toISOString(),
        at: new Date(app.clock.now()).toISOString(),
        provenEmpty: ['templates/00', 'exports/00', 'exports/01', 'previews/00'],
        backupsExpire: new Date(app.clock.now() + 8 * DAY).toISOString().slice(0, 10),
      },
    ]);
  });

  test('is purged although an installation died before its end, a day after that', async () => {
    const interruption = interruptedAt(1, 'after');
    const app = await retired(31, { hooks: interruption.hooks });
    interruption.arm();
    await expect(install(app)).rejects.toThrow('has died');
    interruption.disarm();
    expect(recordIn(app)?.state).toBe('opening');
    const items = app.holdings('us');
    app.clock.advance(DAY - MINUTE);
    await purge(app);
    expect([recordIn(app)?.state, app.holdings('us')]).toEqual(['opening', items]);
    app.clock.advance(MINUTE);
    await purge(app);
    expect(situation(app)).toEqual({});
    await install(app, 'secret-3');
    expect(recordIn(app)?.state).toBe('active');
  });

  test('is purged in as many turns as it takes', async () => {
    const clock = manualClock();
    const app = await retired(31, {
      pageItems: 1,
      clock,
      hooks: { step: async ({ name }) => void (name === 'purge' && clock.advance(SECOND)) },
    });
    let turns = 0;
    for (; recordIn(app) !== undefined; turns += 1) {
      expect(turns).toBeLessThan(40);
      await purge(app, 24 * SECOND); // nine of them are left for pages
      clock.advance(HOUR);
    }
    expect(turns).toBeGreaterThan(1);
    expect(situation(app)).toEqual({});
  });

  test.each(['before', 'after'] as const)(
    'is purged by the next run, wherever the first one dies: %s an operation',
    async (when) => {
      for (let stop = 1; stop <= 40; stop += 1) {
        const death = interruptedAt(stop, when);
        const app = await retired(31, { hooks: death.hooks });
        death.arm();
        await purge(app).catch(() => undefined);
        death.disarm();
        app.clock.advance(HOUR);
        await purge(app);
        expect(situation(app), `${when} ${stop}`).toEqual({});
        expect(await app.receipts.purges('us', TENANT), `${when} ${stop}`).toHaveLength(1);
      }
    },
  );

  test('begins anew when it is installed after that', async () => {
    const app = await retired(31);
    await purge(app);
    await install(app);
    expect(recordIn(app)).toMatchObject({
      state: 'active',
      credentials: { sharedSecret: 'secret-2' },
    });
    expect(app.holdings('us')).toEqual({});
  });

  test('is purged again when something was left, and an alarm says so', async () => {
    let isTampering = true;
    const app: MemoryApp = await retired(31, {
      hooks: {
        step: async ({ name }: Operation) => {
          if (name === 'isEmpty' && isTampering) app.fill('us', TENANT, 1);
          if (name === 'isEmpty') isTampering = false;
        },
      },
    });
    await purge(app);
    expect(recordIn(app)?.state).toBe('purging');
    expect(app.log.alarms().join()).toContain('is not empty');
    await purge(app);
    expect(situation(app)).toEqual({});
  });
});

describe('a retired tenant is not purged', () => {
  test.each<[string, number, Partial<TenantRecord>]>([
    ['before its 30 days are over', 29, {}],
    ['if it was taken over, and may be the only copy', 31, { keep: true }],
  ])('%s', async (_, days, rest) => {
    const app = await retired(days);
    app.tenants.set('us', { ...(recordIn(app) ?? tenantRecord()), ...rest });
    const before = situation(app);
    await purge(app);
    expect(situation(app)).toEqual(before);
  });

  test('once it has been installed again, with all its data', async () => {
    const app = await retired(29);
    await install(app);
    const before = app.holdings('us');
    app.clock.advance(30 * DAY);
    await purge(app);
    expect(recordIn(app)?.state).toBe('active');
    expect(app.holdings('us')).toEqual(before);
  });

  test('as long as the move by which it came is not committed', async () => {
    const migration = move(tenantInUs());
    await migration.driveTo('committing');
    const { app } = migration;
    await uninstall(app, 'de');
    app.clock.advance(31 * DAY);
    await purge(app, 5 * MINUTE, 'de');
    expect(recordIn(app, 'de')?.state).toBe('retired');
    expect(app.holdings('de')).not.toEqual({});
    expect(app.log.alarms().join()).toContain('is not committed');
    await app.runAll();
    await purge(app, 5 * MINUTE, 'de');
    expect(app.holdings('de')).toEqual({});
  });
});

describe('while a retired tenant is being purged', () => {
  const isPage = ({ port, name }: Operation) => port === 'partKind' && name === 'purge';
  test('an installation waits, and then begins with nothing and loses nothing', async () => {
    const gate = gateAt(isPage);
    const app = await retired(31, { hooks: gate.hooks });
    gate.arm();
    const purging = purge(app);
    await gate.reached;
    await expect(install(app)).rejects.toThrow(Fault);
    gate.open();
    await purging;
    await install(app);
    app.fill('us', TENANT, 1, 'new');
    app.clock.advance(HOUR);
    await purge(app);
    expect(Object.keys(app.holdings('us'))).toEqual(['templates', 'exports', 'previews']);
  });

  test('no realm serves it, and nothing is uninstalled, scheduled or lost', async () => {
    const gate = gateAt(isPage);
    const app = await retired(31, { hooks: gate.hooks });
    gate.arm();
    const purging = purge(app);
    await gate.reached;
    expect(await app.realm('us').guard(TENANT, 'read')).toEqual({ kind: 'unknown' });
    await uninstall(app);
    expect(await move(app).said.schedule()).toBe('409 E9999');
    gate.open();
    await purging;
    expect(situation(app)).toEqual({});
  });

  test('a second purger leaves it to the first', async () => {
    const gate = gateAt(isPage);
    const app = await retired(31, { hooks: gate.hooks });
    gate.arm();
    const first = purge(app);
    await gate.reached;
    const before = recordIn(app);
    await purge(app);
    expect(recordIn(app)).toEqual(before);
    gate.open();
    await first;
    expect(situation(app)).toEqual({});
    expect(await app.receipts.purges('us', TENANT)).toHaveLength(1);
  });

  test('a purger that wakes up when another has finished, and the tenant is back, removes nothing', async () => {
    let world: MemoryApp | undefined;
    const gate = gateAt(
      ({ port, name, access }) =>
        port === 'tenants' &&
        name === 'change' &&
        access === 'write' &&
        world !== undefined &&
        recordIn(world)?.state === 'purging',
    );
    const app = await retired(31, { hooks: gate.hooks });
    world = app;
    gate.arm();
    const late = purge(app);
    await gate.reached;
    app.clock.advance(HOUR);
    await purge(app);
    expect(situation(app)).toEqual({});
    await install(app);
    app.fill('us', TENANT, 2, 'new');
    const before = situation(app);
    gate.open();
    await late;
    expect(situation(app)).toEqual(before);
    expect(before).toMatchObject({ us: { state: 'active' } });
  });

  test('a move to its realm waits for a while, and is made once the purge is done', async () => {
    const purged = tenantRecord({
      state: 'purging',
      purgeDueAt: 1,
      purge: {
        owner: 'another',
        until: Number.MAX_SAFE_INTEGER,
        begunAt: '2026-12-25T11:00:00.000Z',
      },
    });
    const app = tenantInUs();
    app.tenants.set('de', purged);
    app.fill('de', TENANT, 2, 'old');
    const first = move(app);
    await first.driveTo('scheduled');
    app.clock.advanceTo(Date.parse(first.facts.startTime));
    await first.said.start();
    await app.runAll();
    expect(await first.said.status()).toBe('200 failed E9999');
    expect(recordIn(app)?.state).toBe('active');
    expect(recordIn(app, 'de')).toEqual(purged);
    await first.said.rollback();
    await app.runAll();
    app.tenants.set('de', { ...purged, purge: { owner: 'another', until: 0, begunAt: 'x' } });
    await purge(app, 5 * MINUTE, 'de');
    const second = move(app, { id: '2' });
    await second.driveTo('ready-to-commit');
    expect(app.holdings('de')['templates']?.join()).not.toContain('old');
  });
});

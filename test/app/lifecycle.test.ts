/** The lifecycle hooks in every state of the tenant in the realm that is called. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { Fault } from '../../lambdas/domain/refusal.ts';
import { close, withUninstalled } from '../../lambdas/domain/tenants/fence.ts';
import { arrivalAt, TENANT, tenantRecord } from '../support/builders.ts';
import { DAY, MINUTE } from '../support/clock.ts';
import { interleavedBy } from '../support/interleaving.ts';
import { type MemoryApp, memoryApp } from '../support/memory-app.ts';
import {
  gateAt,
  interruptedAt,
  type Move,
  move,
  type Row,
  situation,
  tenantInUs,
} from '../support/moves.ts';

const install = (app: MemoryApp, at: Realm, secret = 'secret-2', secondsAgo = 0) =>
  app.realm(at).lifecycle.installed(arrivalAt(app.clock, secret, TENANT, secondsAgo));
const uninstall = (app: MemoryApp, at: Realm, secondsAgo = 0) =>
  app.realm(at).lifecycle.uninstalled(TENANT, Math.floor(app.clock.now() / 1000) - secondsAgo);
const recordIn = (app: MemoryApp, realm: Realm) => app.tenants.peek(realm, TENANT);
const secretIn = (app: MemoryApp, realm: Realm) => recordIn(app, realm)?.credentials.sharedSecret;
const statesOf = (app: MemoryApp) =>
  Object.fromEntries(
    app.realms.flatMap((realm) => {
      const state = recordIn(app, realm)?.state;
      return state ? [[realm, state]] : [];
    }),
  );

async function moved(row: Row, app: MemoryApp = tenantInUs()): Promise<Move> {
  const migration = move(app);
  await migration.driveTo(row);
  return migration;
}

/** A rollback that has withdrawn the target, and stops there. */
async function withdrawn(): Promise<Move> {
  const migration = await moved('ready-to-commit');
  await migration.said.rollback();
  await migration.app.runAll({
    tries: 1,
    invoke: async (task, call) => {
      if (task === 'releaseSource') throw new Error('the invocation has died');
      await call();
    },
  });
  expect(statesOf(migration.app)).toEqual({ us: 'frozen', de: 'withdrawn' });
  return migration;
}

describe('installed, while a move is being rolled back that an uninstallation has cancelled', () => {
  test('asks the tenant back that is let go, and retires, in this very moment', async () => {
    const gate = gateAt(
      ({ port, name, realm }) => port === 'tenants' && name === 'change' && realm === 'us',
    );
    const migration = await moved('copying', tenantInUs({ hooks: gate.hooks }));
    const { app } = migration;
    await uninstall(app, 'us');
    app.clock.advance(MINUTE);
    gate.arm();
    const installed = install(app, 'us');
    await gate.reached;
    await app.runAll();
    expect(statesOf(app)).toEqual({ us: 'retired' });
    gate.open();
    await installed;
    expect(statesOf(app)).toEqual({ us: 'active' });
    expect(secretIn(app, 'us')).toBe('secret-2');
  });
});

describe('installed, where the realm has no record of the tenant', () => {
  test('makes it active, if no other realm knows it', async () => {
    const app = memoryApp();
    await install(app, 'de');
    expect(recordIn(app, 'de')).toEqual({
      tenant: TENANT,
      state: 'active',
      ...pick(arrivalAt(app.clock, 'secret-2')),
    });
    expect(statesOf(app)).toEqual({ de: 'active' });
    expect(app.log.alarms()).toEqual([]);
  });

  test('takes a tenant over that is active elsewhere, keeps what was there, and raises an alarm', async () => {
    const app = tenantInUs();
    const items = app.holdings('us');
    await install(app, 'de');
    expect(statesOf(app)).toEqual({ us: 'retired', de: 'active' });
    expect(recordIn(app, 'us')).toMatchObject({ keep: true });
    expect(recordIn(app, 'us')?.purgeDueAt).toBeUndefined();
    expect(app.holdings('us')).toEqual(items);
    expect(app.log.alarms()).toHaveLength(1);
  });

  test('takes nothing over when what is active elsewhere is newer', async () => {
    const app = tenantInUs();
    await install(app, 'us', 'secret-2');
    await install(app, 'de', 'older', 10);
    expect(statesOf(app)).toEqual({ us: 'active' });
    expect(secretIn(app, 'us')).toBe('secret-2');
  });

  test.each<Row>(['copying', 'ready-to-commit', 'committing'])(
    'is a fault while the tenant is in a move elsewhere that is %s, and changes nothing',
    async (row) => {
      const { app } = await moved(row);
      const before = situation(app);
      await expect(install(app, 'eu')).rejects.toThrow(Fault);
      expect(situation(app)).toEqual(before);
    },
  );

  test('is a fault while a target is claimed that a failed move has left behind', async () => {
    const { app } = await moved('copying');
    await app.runAll({
      tries: 1,
      invoke: async (task, call) =>
        task === 'copyRange' ? Promise.reject(new Error('no')) : call(),
    });
    expect(statesOf(app)['de']).toBe('standby');
    await expect(install(app, 'eu')).rejects.toThrow(Fault);
    expect(recordIn(app, 'eu')).toBeUndefined();
  });

  test('is a fault while the target is withdrawn', async () => {
    const { app } = await withdrawn();
    await expect(install(app, 'eu')).rejects.toThrow(Fault);
  });

  test('takes over from the target once the move is over', async () => {
    const { app } = await moved('committed');
    await install(app, 'eu');
    expect(statesOf(app)).toEqual({ us: 'moved', de: 'retired', eu: 'active' });
  });

  test('goes on with an opening that was interrupted', async () => {
    const interruption = interruptedAt(8, 'before');
    const app = tenantInUs({ hooks: interruption.hooks });
    interruption.arm();
    await expect(install(app, 'de')).rejects.toThrow('died');
    interruption.disarm();
    expect(statesOf(app)).toEqual({ us: 'active', de: 'opening' });
    await install(app, 'de');
    expect(statesOf(app)).toEqual({ us: 'retired', de: 'active' });
  });
});

describe('installed, where the tenant is active', () => {
  test('brings the new secret and facts', async () => {
    const app = tenantInUs();
    await install(app, 'us', 'secret-2');
    expect(recordIn(app, 'us')).toMatchObject({
      state: 'active',
      ...pick(arrivalAt(app.clock, 'secret-2')),
    });
  });

  test('is ignored when it is older than what is stored', async () => {
    const app = tenantInUs();
    await install(app, 'us', 'secret-2');
    const before = recordIn(app, 'us');
    await install(app, 'us', 'older', 1);
    expect(recordIn(app, 'us')).toEqual(before);
  });
});

describe('installed during a move', () => {
  test.each<[Row, Realm]>([
    ['ready-to-commit', 'us'],
    ['ready-to-commit', 'de'],
    ['committing', 'us'],
    ['committing', 'de'],
    ['committed', 'us'],
    ['committed', 'de'],
  ])(
    'that is %s brings the new secret into both realms when it comes to %s, and no state changes',
    async (row, at) => {
      const { app } = await moved(row);
      const before = statesOf(app);
      await install(app, at);
      expect([secretIn(app, 'us'), secretIn(app, 'de')]).toEqual(['secret-2', 'secret-2']);
      expect(statesOf(app)).toEqual(before);
    },
  );

  test.each<Realm>(['us', 'de'])(
    'whose target is withdrawn brings it into both, called in %s',
    async (at) => {
      const { app } = await withdrawn();
      await install(app, at);
      expect([secretIn(app, 'us'), secretIn(app, 'de')]).toEqual(['secret-2', 'secret-2']);
      expect(statesOf(app)).toEqual({ us: 'frozen', de: 'withdrawn' });
      await app.realm('us').janitor();
      await app.runAll();
      expect(statesOf(app)).toEqual({ us: 'active' });
      expect(secretIn(app, 'us')).toBe('secret-2');
    },
  );

  test.each<Row>(['committing', 'committed'])(
    'that is %s raises an alarm in the source: Atlassian and we disagree on where the tenant lives',
    async (row) => {
      const { app } = await moved(row);
      await install(app, 'de');
      expect(app.log.alarms()).toEqual([]);
      await install(app, 'us');
      expect(app.log.alarms()).toHaveLength(1);
    },
  );

  test('reaches the copy also before the target is claimed', async () => {
    const migration = await moved('copying');
    await install(migration.app, 'us');
    await migration.app.runAll();
    expect(secretIn(migration.app, 'de')).toBe('secret-2');
  });

  test('is ignored in both realms when it is older', async () => {
    const { app } = await moved('ready-to-commit');
    await install(app, 'us', 'secret-2');
    await install(app, 'de', 'older', 5);
    expect([secretIn(app, 'us'), secretIn(app, 'de')]).toEqual(['secret-2', 'secret-2']);
  });

  test('follows a tenant that has moved twice', async () => {
    const { app } = await moved('committed');
    await move(app, { id: '2', source: 'de', location: 'EU' }).driveTo('committed');
    await install(app, 'us');
    expect(secretIn(app, 'eu')).toBe('secret-2');
  });

  test('at the same time as the commit, in any order, reaches both realms', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const interleaving = interleavedBy(scheduler);
        const migration = await moved('ready-to-commit', tenantInUs({ hooks: interleaving.hooks }));
        const { app, said } = migration;
        interleaving.begin();
        const answers = Promise.all([said.commit(), install(app, 'us')]);
        await scheduler.waitFor(answers);
        interleaving.end();
        expect([secretIn(app, 'us'), secretIn(app, 'de')]).toEqual(['secret-2', 'secret-2']);
        expect(statesOf(app)).toEqual({ us: 'moved', de: 'active' });
      }),
      { numRuns: 200 },
    );
  });

  test('at the same time as the copy, in any order, reaches both realms once it is committed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const interleaving = interleavedBy(scheduler);
        const migration = await moved('copying', tenantInUs({ hooks: interleaving.hooks }));
        const { app, said } = migration;
        interleaving.begin();
        await scheduler.waitFor(Promise.all([app.runAll(), install(app, 'us')]));
        interleaving.end();
        expect(await said.commit()).toBe('200 committing');
        expect([secretIn(app, 'us'), secretIn(app, 'de')]).toEqual(['secret-2', 'secret-2']);
      }),
      { numRuns: 50 },
    );
  });
});

describe('installed, where the tenant is retired', () => {
  test('within 30 days makes it active again, with its data', async () => {
    const app = tenantInUs();
    const items = app.holdings('us');
    await uninstall(app, 'us');
    app.clock.advance(29 * DAY);
    await install(app, 'us');
    expect(statesOf(app)).toEqual({ us: 'active' });
    const record = recordIn(app, 'us');
    expect([record?.uninstalledIat, record?.purgeDueAt, record?.keep]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(secretIn(app, 'us')).toBe('secret-2');
    expect(app.holdings('us')).toEqual(items);
  });

  test('is ignored when it is older than the uninstallation', async () => {
    const app = tenantInUs();
    await uninstall(app, 'us');
    const before = recordIn(app, 'us');
    await install(app, 'us', 'older', 10);
    expect(recordIn(app, 'us')).toEqual(before);
  });

  test('after a take-over makes the kept data the customer’s again', async () => {
    const app = tenantInUs();
    await install(app, 'de');
    app.clock.advance(MINUTE);
    await install(app, 'us', 'secret-3');
    expect(statesOf(app)).toEqual({ us: 'active', de: 'retired' });
    expect(recordIn(app, 'us')?.keep).toBeUndefined();
    expect(recordIn(app, 'de')?.keep).toBe(true);
  });

  test('in the target after the uninstallation ended a move there makes it active again', async () => {
    const { app } = await moved('committed');
    const items = app.holdings('de');
    await uninstall(app, 'de');
    expect(statesOf(app)).toEqual({ us: 'moved', de: 'retired' });
    app.clock.advance(DAY);
    await install(app, 'de');
    expect(statesOf(app)).toEqual({ us: 'moved', de: 'active' });
    expect(app.holdings('de')).toEqual(items);
  });
});

describe('uninstalled', () => {
  test('is done already where there is no record', async () => {
    const app = memoryApp();
    await uninstall(app, 'us');
    expect(statesOf(app)).toEqual({});
  });

  test('retires an active tenant, whose data is kept for 30 days', async () => {
    const app = tenantInUs();
    const items = app.holdings('us');
    await uninstall(app, 'us');
    const iat = Math.floor(app.clock.now() / 1000);
    expect(recordIn(app, 'us')).toMatchObject({
      state: 'retired',
      uninstalledIat: iat,
      purgeDueAt: iat + 30 * 24 * 60 * 60,
    });
    expect(app.holdings('us')).toEqual(items);
  });

  test('is done already where the tenant is retired: its time does not begin anew', async () => {
    const app = tenantInUs();
    await uninstall(app, 'us');
    const before = recordIn(app, 'us');
    app.clock.advance(DAY);
    await uninstall(app, 'us');
    expect(recordIn(app, 'us')).toEqual(before);
  });

  test('is ignored when it is older than the installation', async () => {
    const app = tenantInUs();
    await install(app, 'us');
    await uninstall(app, 'us', 10);
    expect(statesOf(app)).toEqual({ us: 'active' });
  });

  test.each<Row>(['copying', 'ready-to-commit'])(
    'is ignored when it is older than the installation, and the move that is %s goes on',
    async (row) => {
      const { app, record } = await moved(row);
      await install(app, 'us');
      await uninstall(app, 'us', 10);
      expect(record().status).toBe(row);
      expect(recordIn(app, 'us')?.uninstalledIat).toBeUndefined();
    },
  );

  test.each<[Row, Realm]>([
    ['scheduled', 'us'],
    ['copying', 'us'],
    ['ready-to-commit', 'us'],
    ['ready-to-commit', 'de'],
    ['failed', 'us'],
  ])(
    'cancels a move that is %s, when it comes to %s, and the tenant retires in the source',
    async (row, at) => {
      const { app, record } = await moved(row);
      const items = app.holdings('us');
      await uninstall(app, at);
      await app.runAll();
      expect(record().status).toBe('rolled-back');
      expect(statesOf(app)).toEqual({ us: 'retired' });
      expect(recordIn(app, 'us')?.purgeDueAt).toBeGreaterThan(
        app.clock.now() / 1000 + 29 * 24 * 60 * 60,
      );
      expect(app.holdings('us')).toEqual(items);
      expect(app.holdings('de')).toEqual({});
      expect(await app.slots.list('us')).toEqual([]);
    },
  );

  test.each<Realm>(['us', 'de'])(
    'does not stop a move that is committing, when it comes to %s: the tenant arrives retired',
    async (at) => {
      const { app, record } = await moved('committing');
      await uninstall(app, at);
      expect(statesOf(app)).toEqual({ us: 'moved', de: 'retired' });
      await app.runAll();
      expect(record().status).toBe('committed');
      expect(statesOf(app)).toEqual({ us: 'moved', de: 'retired' });
      expect(app.holdings('us')).toEqual({});
      expect(app.holdings('de')).not.toEqual({});
    },
  );

  test('is passed on by a stub to the realm that serves, over two moves', async () => {
    const { app } = await moved('committed');
    await move(app, { id: '2', source: 'de', location: 'EU' }).driveTo('committed');
    await uninstall(app, 'us');
    expect(statesOf(app)).toEqual({ us: 'moved', de: 'moved', eu: 'retired' });
  });

  test.each<Realm>(['us', 'de'])(
    'in a rollback whose target is withdrawn, when it comes to %s, ends with the source retired',
    async (at) => {
      const { app, record } = await withdrawn();
      await uninstall(app, at);
      await app.realm('us').janitor();
      await app.runAll();
      expect(record().status).toBe('rolled-back');
      expect(statesOf(app)).toEqual({ us: 'retired' });
    },
  );

  test('sent again, drives a rollback that an earlier one has begun and left', async () => {
    const migration = await moved('ready-to-commit');
    const { app, record } = migration;
    await app.realm('us').steps.take(record(), 'rollback', 'uninstalled');
    await uninstall(app, 'us');
    await app.runAll();
    expect(record().status).toBe('rolled-back');
    expect(statesOf(app)).toEqual({ us: 'retired' });
  });

  test('is a fault while the tenant is being installed', async () => {
    const interruption = interruptedAt(8, 'before');
    const app = tenantInUs({ hooks: interruption.hooks });
    interruption.arm();
    await expect(install(app, 'de')).rejects.toThrow('died');
    interruption.disarm();
    await expect(uninstall(app, 'de')).rejects.toThrow(Fault);
  });

  test('and installed again in a move that this has cancelled, leaves the tenant active', async () => {
    const { app, record } = await moved('copying');
    await uninstall(app, 'us', 10);
    await install(app, 'us');
    await app.runAll();
    expect(record().status).toBe('rolled-back');
    expect(statesOf(app)).toEqual({ us: 'active' });
    expect(recordIn(app, 'us')?.uninstalledIat).toBeUndefined();
  });

  test('after it was installed again, but issued before, changes nothing', async () => {
    const { app } = await moved('committing');
    await install(app, 'us');
    await uninstall(app, 'us', 10);
    expect(statesOf(app)).toEqual({ us: 'moved', de: 'active' });
    expect(recordIn(app, 'de')?.uninstalledIat).toBeUndefined();
  });
});

describe('a lifecycle hook that dies and is sent again', () => {
  const rows: readonly Row[] = [
    'no record',
    'scheduled',
    'copying',
    'ready-to-commit',
    'committing',
    'committed',
  ];
  const all = rows.flatMap((row) =>
    (['installed', 'uninstalled'] as const).flatMap((hook) =>
      (['us', 'de'] as const).map((at) => ({ row, hook, at })),
    ),
  );
  // That case is a fault: see above.
  const cases = all.filter(
    ({ row, hook, at }) => !(row === 'copying' && hook === 'installed' && at === 'de'),
  );

  test.each(cases)(
    'ends like one that was not interrupted: $hook in $at, move: $row',
    async ({ row, hook, at }) => {
      const call = (app: MemoryApp) =>
        hook === 'installed' ? install(app, at) : uninstall(app, at);
      const end = async ({ app, key }: Move) => {
        for (const realm of app.realms) await app.realm(realm).janitor();
        await app.runAll();
        return {
          status: app.migrations.peek(key)?.status,
          // The list of released migrations only matters for delayed starts, and is not compared.
          records: app.realms.map((realm) => ({ ...recordIn(app, realm), released: [] })),
          situation: situation(app),
        };
      };
      const whole = await moved(row);
      await call(whole.app);
      const wanted = await end(whole);
      for (const when of ['before', 'after'] as const) {
        for (let stop = 1; ; stop += 1) {
          const interruption = interruptedAt(stop, when);
          const migration = await moved(row, tenantInUs({ hooks: interruption.hooks }));
          interruption.arm();
          const first = await call(migration.app).catch(() => 'died');
          interruption.disarm();
          if (first !== 'died') break;
          await call(migration.app);
          expect(await end(migration), `${when} operation ${stop}`).toEqual(wanted);
        }
      }
    },
  );
});

const pick = ({ credentials, installation }: ReturnType<typeof arrivalAt>) => ({
  credentials,
  installation,
});

describe('a reinstallation', () => {
  test('where the tenant had arrived brings its secret to the stub that it left behind', async () => {
    const { app } = await moved('committed');
    app.clock.advance(MINUTE);
    await uninstall(app, 'de');
    app.clock.advance(MINUTE);
    await install(app, 'de', 'secret-of-later');
    expect(statesOf(app)).toEqual({ us: 'moved', de: 'active' });
    expect(secretIn(app, 'us')).toBe('secret-of-later');
  });

  test('does not concern what the tenant once had in the realm that it was to move to', async () => {
    const app = tenantInUs();
    app.tenants.set('de', {
      tenant: TENANT,
      state: 'retired',
      credentials: { sharedSecret: 'secret-of-old', iat: 1 },
      installation: {},
      uninstalledIat: 2,
    });
    const migration = move(app);
    await migration.said.schedule();
    await migration.said.start();
    await install(app, 'us', 'secret-of-later');
    expect(secretIn(app, 'us')).toBe('secret-of-later');
    expect(recordIn(app, 'de')).toMatchObject({ state: 'retired', uninstalledIat: 2 });
    expect(secretIn(app, 'de')).toBe('secret-of-old');
  });
});

describe('installed in the source, after the move has taken an uninstalled tenant to the target', () => {
  test.each<Row>(['committing', 'committed'])(
    'is not believed while the move is %s, and changes nothing: the target opens when it is told itself, with its data',
    async (row) => {
      const { app } = await moved(row);
      const items = app.holdings('de');
      await uninstall(app, 'us');
      app.clock.advance(MINUTE);
      const before = [recordIn(app, 'us'), recordIn(app, 'de')];
      await expect(install(app, 'us')).rejects.toThrow(Fault);
      expect([recordIn(app, 'us'), recordIn(app, 'de')]).toEqual(before);
      await app.runAll();
      await install(app, 'de', 'secret-3');
      expect(statesOf(app)).toEqual({ us: 'moved', de: 'active' });
      expect(app.holdings('de')).toEqual(items);
    },
  );

  test('is not believed either where an installation in the target has died before its end', async () => {
    const interruption = interruptedAt(1, 'after');
    const { app } = await moved('committed', tenantInUs({ hooks: interruption.hooks }));
    await uninstall(app, 'de');
    app.clock.advance(MINUTE);
    interruption.arm();
    await expect(install(app, 'de')).rejects.toThrow('has died');
    interruption.disarm();
    expect(statesOf(app)).toEqual({ us: 'moved', de: 'opening' });
    app.clock.advance(MINUTE);
    const before = [recordIn(app, 'us'), recordIn(app, 'de')];
    await expect(install(app, 'us', 'secret-3')).rejects.toThrow(Fault);
    expect([recordIn(app, 'us'), recordIn(app, 'de')]).toEqual(before);
    await install(app, 'de', 'secret-3');
    expect(statesOf(app)).toEqual({ us: 'moved', de: 'active' });
  });

  test('is not believed either where it left the target for a third realm, and was uninstalled there', async () => {
    const { app } = await moved('committed');
    const { credentials, ...stub } = tenantRecord({ state: 'moved', movedTo: 'eu' });
    app.tenants.set('de', { ...stub, credentials });
    app.tenants.set('eu', { ...tenantRecord({ state: 'retired' }), uninstalledIat: 2 });
    const before = app.realms.map((realm) => recordIn(app, realm));
    await expect(install(app, 'us')).rejects.toThrow(Fault);
    expect(app.realms.map((realm) => recordIn(app, realm))).toEqual(before);
  });

  test.each<Realm[]>([['us'], ['de']])(
    'is not believed while the target is about to be opened either, though only the record in %s says so',
    async (flagged) => {
      const { app, said } = await moved('ready-to-commit');
      const id = recordIn(app, 'us')?.migration ?? '';
      await app.tenants.change(flagged, TENANT, (record) =>
        withUninstalled(record, Math.floor(app.clock.now() / 1000)),
      );
      await app.tenants.change('us', TENANT, (record) => close(record, id, 'de'));
      app.clock.advance(MINUTE);
      const before = [recordIn(app, 'us'), recordIn(app, 'de')];
      await expect(install(app, 'us')).rejects.toThrow(Fault);
      expect([recordIn(app, 'us'), recordIn(app, 'de')]).toEqual(before);
      await said.commit();
      await app.runAll();
      expect(statesOf(app)).toEqual({ us: 'moved', de: 'retired' });
      await install(app, 'de', 'secret-3');
      expect(statesOf(app)).toEqual({ us: 'moved', de: 'active' });
    },
  );
});

describe('two installations in the same second', () => {
  test.each<Row>(['ready-to-commit', 'committing', 'committed'])(
    'are told apart by their tokens while a move is %s: the first, when it comes again, changes nothing in either realm',
    async (row) => {
      const { app } = await moved(row);
      await install(app, 'us', 'secret-of-first');
      await install(app, 'us', 'secret-of-second');
      await install(app, 'us', 'secret-of-first');
      for (const realm of ['us', 'de']) expect(secretIn(app, realm)).toBe('secret-of-second');
    },
  );

  test('count once each where the tenant was uninstalled in that second too', async () => {
    const app = tenantInUs();
    await install(app, 'us', 'secret-of-first');
    await uninstall(app, 'us');
    await install(app, 'us', 'secret-of-first');
    expect(statesOf(app)).toEqual({ us: 'retired' });
    await install(app, 'us', 'secret-of-second');
    expect(statesOf(app)).toEqual({ us: 'active' });
    expect(secretIn(app, 'us')).toBe('secret-of-second');
  });

  test('finish what an earlier try left undone: what stands is passed on, and not what came again', async () => {
    const interruption = interruptedAt(4, 'before');
    const { app } = await moved('ready-to-commit', tenantInUs({ hooks: interruption.hooks }));
    await install(app, 'us', 'secret-of-first');
    interruption.arm();
    await expect(install(app, 'us', 'secret-of-second')).rejects.toThrow('has died');
    interruption.disarm();
    expect(secretIn(app, 'us')).toBe('secret-of-second');
    expect(secretIn(app, 'de')).toBe('secret-of-first');
    await install(app, 'us', 'secret-of-first');
    for (const realm of ['us', 'de']) expect(secretIn(app, realm)).toBe('secret-of-second');
  });

  test('open a realm again after an opening that had to be taken back', async () => {
    const app = tenantInUs();
    await uninstall(app, 'us');
    app.clock.advance(MINUTE);
    app.tenants.set('de', { ...tenantRecord({ state: 'standby', migration: '1', ledger: 'eu' }) });
    await expect(install(app, 'us')).rejects.toThrow(Fault);
    app.tenants.set('de', { ...tenantRecord({ state: 'retired' }) });
    await install(app, 'us');
    expect(recordIn(app, 'us')?.state).toBe('active');
  });
});

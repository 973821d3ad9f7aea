/**
 * A host name does not identify a tenant: a site that has it now reads nothing, moves nothing and
 * retires nothing, unless an operator or Atlassian's signature says which tenant it is.
 */
import { describe, expect, test } from 'vitest';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { Fault, Unauthenticated } from '../../lambdas/domain/refusal.ts';
import { tenantOfInstallation } from '../../lambdas/domain/tenants/identity.ts';
import type { ForgeClaims } from '../../lambdas/ports.ts';
import { TENANT, tenantRecord } from '../support/builders.ts';
import { MINUTE } from '../support/clock.ts';
import { type MemoryApp, memoryApp } from '../support/memory-app.ts';
import { interruptedAt, move } from '../support/moves.ts';

const installation = (number: number) =>
  `ari:cloud:ecosystem::installation/00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const [STRANGE, OWN] = [installation(1), installation(2)];
const CLOUD = '11111111-1111-4111-8111-111111111111';
const HOST = 'one.example';
const STRANGER = tenantOfInstallation(STRANGE);

/** A Connect tenant from long ago, of whose site only the host name is known. */
function connectTenant(options: Parameters<typeof memoryApp>[0] = {}): MemoryApp {
  const app = memoryApp(options);
  const told = { clientKey: TENANT, baseUrl: `https://${HOST}/wiki`, productType: 'confluence' };
  app.tenants.set('us', tenantRecord({ installation: told }));
  app.fill('us');
  return app;
}
const adoptable = (options: Parameters<typeof memoryApp>[0] = {}) =>
  connectTenant({ ...options, adoptByHost: true });

const seconds = (app: MemoryApp) => Math.floor(app.clock.now() / 1000);
const claimsOf = (app: MemoryApp, rest: Partial<ForgeClaims> = {}): ForgeClaims => ({
  installationId: STRANGE,
  iat: seconds(app),
  cloudId: CLOUD,
  product: 'confluence',
  host: HOST,
  ...rest,
});
const called = async (app: MemoryApp, access: 'look' | 'learn' = 'learn', at: Realm = 'us') =>
  (await app.realm(at).identification.forgeCaller(claimsOf(app), access)).tenant;
const announced = async (app: MemoryApp, at: Realm = 'us') => {
  const { identification, lifecycle } = app.realm(at);
  await lifecycle.installed(await identification.forgeArrival(claimsOf(app)));
};
const uninstalled = async (app: MemoryApp) => {
  const claims = claimsOf(app);
  const record = await app.realm('us').identification.forgeDeparture(claims);
  if (record) await app.realm('us').lifecycle.uninstalled(record.tenant, claims.iat);
};
/** A signed `installed` of an app with a Forge manifest. */
const signedInstall = async (app: MemoryApp, tenant: string, id: string) => {
  const { identification, lifecycle } = app.realm('us');
  await lifecycle.installed(
    await identification.connectArrival({
      tenant,
      credentials: { sharedSecret: 'renewed', iat: seconds(app) },
      installation: { clientKey: tenant, baseUrl: `https://${HOST}/wiki` },
      identity: {
        installations: [{ id, iat: seconds(app) }],
        cloudId: CLOUD,
        product: 'confluence',
      },
    }),
  );
};
const ask = (app: MemoryApp, verb: 'adopt' | 'disown', rest: object = {}, at: Realm = 'us') =>
  app.realm(at).operate({
    verb,
    ledger: at,
    tenant: TENANT,
    installation: STRANGE,
    cloudId: CLOUD,
    actor: 'ada',
    ...rest,
  });
const tenantsIn = (app: MemoryApp, at: Realm = 'us') =>
  app.tenants.peekAll(at).map(({ tenant, state }) => `${tenant} ${state}`);
const untouched = (app: MemoryApp) => {
  expect(app.tenants.peek('us', TENANT)).not.toHaveProperty('installations');
  expect(app.tenants.peek('us', TENANT)).toMatchObject({ state: 'active' });
};

describe.each([
  ['by default', connectTenant],
  ['where the vendor has switched adoption on', adoptable],
])(
  'an installation at the host of a Connect tenant, of a cloud that nobody knows, %s',
  (_, app_) => {
    test.each(['look', 'learn'] as const)('is refused by whatever would %s', async (access) => {
      const app = app_();
      await expect(called(app, access)).rejects.toThrow(Unauthenticated);
      untouched(app);
    });

    test('is refused also where its token names no cloud', async () => {
      const app = app_();
      const { cloudId: _cloud, ...claims } = claimsOf(app);
      await expect(app.realm('us').identification.forgeCaller(claims, 'learn')).rejects.toThrow(
        Unauthenticated,
      );
      untouched(app);
    });

    test('does not retire the tenant by its uninstallation', async () => {
      const app = app_();
      app.clock.advance(MINUTE);
      await uninstalled(app);
      untouched(app);
    });

    test('is refused by the stub that the tenant leaves behind, and where it has moved to', async () => {
      const app = app_();
      await move(app).driveTo('committed');
      await expect(called(app, 'learn', 'us')).rejects.toThrow(Unauthenticated);
      await expect(called(app, 'learn', 'de')).rejects.toThrow(Unauthenticated);
    });
  },
);

test('by default, an installation that is announced at the host of a Connect tenant is a tenant of its own', async () => {
  const app = connectTenant();
  await announced(app);
  expect(tenantsIn(app).sort()).toEqual([`${STRANGER} active`, `${TENANT} active`]);
  expect(await called(app)).toBe(STRANGER);
  untouched(app);
  expect(app.log.alarms()).toEqual([]);
});

describe('where the vendor has switched adoption on', () => {
  test.each<[string, (app: MemoryApp) => Promise<unknown>]>([
    ['an app’s request', (app) => called(app, 'look')],
    ['a hook', (app) => called(app, 'learn')],
    ['an announcement', (app) => announced(app)],
    ['an uninstallation', (app) => uninstalled(app)],
  ])('%s raises an alarm that names the tenant, once in a process', async (_, knock) => {
    const app = adoptable();
    for (const _again of [1, 2]) await knock(app).catch(() => undefined);
    expect(app.log.alarms()).toHaveLength(1);
    const line = app.log.lines.find(({ message }) => message.startsWith('alarm:'));
    expect(line?.fields).toMatchObject({
      clientKey: TENANT,
      installationId: STRANGE,
      cloudId: CLOUD,
    });
  });

  test('an announcement waits: the customer must not find an empty tenant', async () => {
    const app = adoptable();
    await expect(announced(app)).rejects.toThrow(Fault);
    expect(tenantsIn(app)).toEqual([`${TENANT} active`]);
  });

  test('no tenant is meant, and no alarm raised, where two tenants have the host, or its tenant is uninstalled', async () => {
    const app = adoptable();
    const told = { baseUrl: `https://${HOST}`, productType: 'confluence' };
    app.tenants.set('us', tenantRecord({ tenant: 'second', installation: told }));
    await expect(called(app)).rejects.toThrow(Unauthenticated);
    app.tenants.set('us', tenantRecord({ tenant: 'second', installation: told, state: 'retired' }));
    app.tenants.set('us', tenantRecord({ installation: told, uninstalledIat: 5 }));
    await expect(called(app)).rejects.toThrow(Unauthenticated);
    expect(app.log.alarms()).toEqual([]);
  });
});

describe('an operator who adopts', () => {
  test('gives the installation the tenant, and it is on record who asked', async () => {
    const app = connectTenant();
    expect(await ask(app, 'adopt')).toMatchObject({ outcome: 'adopted' });
    expect(await called(app)).toBe(TENANT);
    expect(app.tenants.peek('us', TENANT)).toMatchObject({
      cloudId: CLOUD,
      installations: [{ id: STRANGE, iat: seconds(app) }],
      adoptions: [{ verb: 'adopt', installation: STRANGE, actor: 'operator ada' }],
    });
    expect(await ask(app, 'adopt')).toMatchObject({ outcome: 'left-alone' });
    await announced(app);
    expect(tenantsIn(app)).toEqual([`${TENANT} active`]);
  });

  test('and then disowns is taken from the tenant in every realm, and not learned again from any', async () => {
    const app = adoptable();
    await ask(app, 'adopt');
    const its = move(app);
    await its.driveTo('committed');
    expect(await called(app, 'learn', 'de')).toBe(TENANT);
    app.clock.advance(MINUTE);
    for (const realm of ['us', 'de'])
      expect(await ask(app, 'disown', {}, realm)).toMatchObject({ outcome: 'disowned' });
    // An installation through Connect takes over the other realm's record.
    app.clock.advance(MINUTE);
    await app.realm('us').lifecycle.installed({
      tenant: TENANT,
      credentials: { sharedSecret: 'renewed', iat: seconds(app) },
      installation: { clientKey: TENANT, baseUrl: `https://${HOST}/wiki` },
    });
    for (const realm of ['us', 'de']) {
      await expect(called(app, 'learn', realm)).rejects.toThrow(Unauthenticated);
      expect(app.tenants.peek(realm, TENANT)?.installations).toEqual([]);
      expect(app.tenants.peek(realm, TENANT)).not.toHaveProperty('cloudId');
    }
    expect(app.tenants.peek('de', TENANT)?.credentials.sharedSecret).toBe('renewed');
    expect(await ask(app, 'disown', {}, 'de')).toMatchObject({ outcome: 'left-alone' });
  });

  test('can disown in the middle of a move: the copy that is opened does not know it either', async () => {
    const app = connectTenant();
    await ask(app, 'adopt');
    const its = move(app);
    await its.driveTo('ready-to-commit');
    app.clock.advance(MINUTE);
    for (const realm of ['us', 'de']) await ask(app, 'disown', {}, realm);
    expect(await its.said.commit()).toBe('200 committing');
    await app.runAll();
    await expect(called(app, 'learn', 'de')).rejects.toThrow(Unauthenticated);
    await expect(called(app, 'learn', 'us')).rejects.toThrow(Unauthenticated);
  });

  test('has disowned a stranger: it is not asked about again, and becomes a tenant of its own', async () => {
    const app = adoptable();
    await ask(app, 'disown');
    await announced(app);
    expect(tenantsIn(app).sort()).toEqual([`${STRANGER} active`, `${TENANT} active`]);
    expect(app.log.alarms()).toEqual([]);
    expect(await called(app)).toBe(STRANGER);
  });

  test('may adopt after all what was disowned', async () => {
    const app = connectTenant();
    await ask(app, 'disown');
    app.clock.advance(MINUTE);
    expect(await ask(app, 'adopt')).toMatchObject({ outcome: 'adopted' });
    expect(await called(app)).toBe(TENANT);
  });

  test('sets aside the tenant that Forge had announced for it, and keeps what that one has stored', async () => {
    const app = connectTenant();
    await announced(app);
    app.fill('us', STRANGER);
    expect(await ask(app, 'adopt')).toMatchObject({ outcome: 'adopted' });
    expect(await called(app)).toBe(TENANT);
    expect(app.tenants.peek('us', STRANGER)).toMatchObject({ state: 'retired', keep: true });
    expect(Object.keys(app.holdings('us', STRANGER))).not.toEqual([]);
    expect(app.log.alarms().join()).toContain('set aside');
  });

  test('gets there by asking again, wherever the first call was cut off', async () => {
    for (const when of ['before', 'after'] as const) {
      for (let stop = 1; stop <= 12; stop += 1) {
        const death = interruptedAt(stop, when);
        const app = connectTenant({ hooks: death.hooks });
        await announced(app);
        death.arm();
        await ask(app, 'adopt').catch(() => undefined);
        death.disarm();
        expect(await ask(app, 'adopt'), `${when} ${stop}`).toMatchObject({
          outcome: expect.stringMatching(/^(adopted|left-alone)$/),
        });
        expect(await called(app)).toBe(TENANT);
        expect(app.tenants.peek('us', STRANGER)).toMatchObject({ state: 'retired', keep: true });
      }
    }
  });

  test.each<[string, (app: MemoryApp) => unknown, object, RegExp]>([
    [
      'an installation that is another Connect tenant’s',
      (app) =>
        app.tenants.set(
          'us',
          tenantRecord({ tenant: 'x', installations: [{ id: STRANGE, iat: 1 }] }),
        ),
      {},
      /belongs to tenant x in realm us/,
    ],
    [
      'a cloud that is another tenant’s, in another realm',
      (app) => app.tenants.set('de', tenantRecord({ tenant: 'x', cloudId: CLOUD })),
      {},
      /belongs to tenant x in realm de/,
    ],
    [
      'for a tenant of another cloud',
      (app) =>
        app.tenants.set('us', tenantRecord({ cloudId: '22222222-2222-4222-8222-222222222222' })),
      {},
      /known to be of cloud 22222222/,
    ],
    ['for a tenant that nobody knows', () => undefined, { tenant: 'nobody' }, /does not serve/],
    ['what is no installation', () => undefined, { installation: 'x' }, /no id of an installation/],
    ['what is no cloud', () => undefined, { cloudId: '../x' }, /no cloud id/],
    [
      'the installation of a tenant whose move is scheduled',
      async (app) => {
        await announced(app);
        await move(app, { tenant: STRANGER }).driveTo('scheduled');
      },
      {},
      /whose migration 57500 must end first/,
    ],
  ])('is refused %s', async (_, prepare, rest, message) => {
    const app = connectTenant();
    await prepare(app);
    const before = app.tenants.peekAll('us');
    expect(await ask(app, 'adopt', rest)).toMatchObject({
      outcome: 'refused',
      message: expect.stringMatching(message),
    });
    expect(app.tenants.peekAll('us')).toEqual(before);
  });

  test('cannot take from a tenant what its own signed installation says', async () => {
    const app = memoryApp();
    app.tenants.set('us', tenantRecord({ installation: { cloudId: CLOUD.toUpperCase() } }));
    expect(await ask(app, 'disown')).toMatchObject({ outcome: 'refused' });
    app.tenants.set('us', tenantRecord({ tenant: STRANGER }));
    expect(await ask(app, 'disown', { tenant: STRANGER })).toMatchObject({ outcome: 'refused' });
  });
});

describe('a signed `installed` that carries both ids', () => {
  test('confirms the installation: it is stored, without an operator', async () => {
    const app = adoptable();
    await expect(called(app)).rejects.toThrow(Unauthenticated);
    app.clock.advance(MINUTE);
    await signedInstall(app, TENANT, STRANGE);
    expect(await called(app)).toBe(TENANT);
    expect(app.tenants.peek('us', TENANT)).toMatchObject({ cloudId: CLOUD });
  });

  test.each<[string, Realm, Parameters<typeof tenantRecord>[0]]>([
    ['of Connect', 'us', { tenant: 'other', product: 'jira' }],
    ['of Connect in another realm', 'de', { tenant: 'other', product: 'jira' }],
    ['of Forge', 'us', { tenant: tenantOfInstallation(OWN), product: 'jira' }],
    ['that is uninstalled', 'us', { tenant: 'other', state: 'retired', uninstalledIat: 5 }],
  ])(
    'but names an installation of another tenant, %s, changes nobody’s access, and raises an alarm',
    async (_, realm, other) => {
      const app = connectTenant();
      app.tenants.set(realm, tenantRecord({ ...other, installations: [{ id: OWN, iat: 1 }] }));
      app.clock.advance(MINUTE);
      await signedInstall(app, TENANT, OWN);
      const found = await app
        .realm(realm)
        .identification.forgeCaller({ installationId: OWN, iat: seconds(app) }, 'learn');
      expect(found.tenant).toBe(other?.tenant);
      expect(app.tenants.peek('us', TENANT)?.installations ?? []).toEqual([]);
      expect(app.log.alarms().join()).toContain(`belongs to another tenant`);
      // The other facts of the installation are stored.
      expect(app.tenants.peek('us', TENANT)?.credentials.sharedSecret).toBe('renewed');
    },
  );
});

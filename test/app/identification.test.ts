/**
 * Tenants that come by Connect, by Forge or by both: how a Forge installation finds its tenant in
 * every realm, and how two announcements make one tenant.
 */
import { describe, expect, test } from 'vitest';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { Unauthenticated } from '../../lambdas/domain/refusal.ts';
import { tenantOfInstallation } from '../../lambdas/domain/tenants/identity.ts';
import type { ForgeClaims } from '../../lambdas/ports.ts';
import { TENANT, tenantRecord } from '../support/builders.ts';
import { DAY, MINUTE } from '../support/clock.ts';
import { type MemoryApp, memoryApp } from '../support/memory-app.ts';
import { move } from '../support/moves.ts';

const installation = (number: number) =>
  `ari:cloud:ecosystem::installation/00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const [FIRST, SECOND] = [installation(1), installation(2)];
const CLOUD = '11111111-1111-4111-8111-111111111111';
const FORGE_TENANT = tenantOfInstallation(FIRST);

const seconds = (app: MemoryApp) => Math.floor(app.clock.now() / 1000);
const claimsOf = (app: MemoryApp, rest: Partial<ForgeClaims> = {}): ForgeClaims => ({
  installationId: FIRST,
  iat: seconds(app),
  cloudId: CLOUD,
  product: 'confluence',
  ...rest,
});
const forgeInstalls = async (app: MemoryApp, rest: Partial<ForgeClaims> = {}, at: Realm = 'us') => {
  const { identification, lifecycle } = app.realm(at);
  await lifecycle.installed(await identification.forgeArrival(claimsOf(app, rest)));
};
const connectInstalls = async (app: MemoryApp, identity = {}, at: Realm = 'us') => {
  const { identification, lifecycle } = app.realm(at);
  await lifecycle.installed(
    await identification.connectArrival({
      tenant: TENANT,
      credentials: { sharedSecret: 'secret', iat: seconds(app) },
      installation: { clientKey: TENANT, baseUrl: 'https://one.example/wiki' },
      identity,
    }),
  );
};
const forgeUninstalls = async (
  app: MemoryApp,
  rest: Partial<ForgeClaims> = {},
  at: Realm = 'us',
) => {
  const claims = claimsOf(app, rest);
  const record = await app.realm(at).identification.forgeDeparture(claims);
  if (record) await app.realm(at).lifecycle.uninstalled(record.tenant, claims.iat);
};
const called = (app: MemoryApp, rest: Partial<ForgeClaims> = {}, at: Realm = 'us') =>
  app.realm(at).identification.forgeCaller(claimsOf(app, rest), 'learn');
const tenantsIn = (app: MemoryApp, at: Realm = 'us') =>
  app.tenants.peekAll(at).map(({ tenant, state }) => `${tenant} ${state}`);

describe('an installation that Forge announces', () => {
  test('brings a tenant of its own, whose id no client key can be', async () => {
    const app = memoryApp();
    await forgeInstalls(app);
    expect(tenantsIn(app)).toEqual([`${FORGE_TENANT} active`]);
    expect(await called(app)).toEqual({ tenant: FORGE_TENANT, iat: seconds(app) });
  });

  test('twice, or upgraded, changes nothing but when it was heard of', async () => {
    const app = memoryApp();
    await forgeInstalls(app);
    app.clock.advance(MINUTE);
    await forgeInstalls(app);
    expect(app.tenants.peek('us', FORGE_TENANT)).toMatchObject({
      state: 'active',
      installations: [{ id: FIRST, iat: seconds(app) }],
    });
    expect(tenantsIn(app)).toHaveLength(1);
  });

  test('again within 30 days, under another id, is the same tenant with its data', async () => {
    const app = memoryApp();
    await forgeInstalls(app);
    app.fill('us', FORGE_TENANT);
    const before = app.holdings('us', FORGE_TENANT);
    app.clock.advance(MINUTE);
    await forgeUninstalls(app);
    expect(tenantsIn(app)).toEqual([`${FORGE_TENANT} retired`]);
    app.clock.advance(20 * DAY);
    await forgeInstalls(app, { installationId: SECOND });
    expect(tenantsIn(app)).toEqual([`${FORGE_TENANT} active`]);
    expect(app.holdings('us', FORGE_TENANT)).toEqual(before);
    expect((await called(app, { installationId: SECOND })).tenant).toBe(FORGE_TENANT);
  });

  test('is of the tenant that lives at its site in another realm', async () => {
    const app = memoryApp();
    await forgeInstalls(app, {}, 'de');
    app.clock.advance(MINUTE);
    await forgeUninstalls(app, {}, 'de');
    app.clock.advance(MINUTE);
    await forgeInstalls(app, { installationId: SECOND }, 'us');
    expect(tenantsIn(app)).toEqual([`${FORGE_TENANT} active`]);
  });

  test('of a Connect tenant’s cloud is linked to that tenant', async () => {
    const app = memoryApp();
    const installation = { cloudId: CLOUD, productType: 'confluence' };
    app.tenants.set('us', tenantRecord({ installation }));
    await forgeInstalls(app);
    expect(tenantsIn(app)).toEqual([`${TENANT} active`]);
    expect(app.tenants.peek('us', TENANT)?.credentials.sharedSecret).toBe('secret-1');
    expect((await called(app)).tenant).toBe(TENANT);
  });

  test('at a site of another product is another tenant', async () => {
    const app = memoryApp();
    await forgeInstalls(app);
    await forgeInstalls(app, { installationId: SECOND, product: 'jira' });
    expect(tenantsIn(app)).toHaveLength(2);
  });

  test('at a host name that an uninstalled tenant had is another tenant', async () => {
    const app = memoryApp();
    const gone = { installation: { baseUrl: 'https://one.example' }, state: 'retired' } as const;
    app.tenants.set('us', tenantRecord(gone));
    await forgeInstalls(app, { host: 'one.example' });
    expect(tenantsIn(app).sort()).toEqual([`${FORGE_TENANT} active`, `${TENANT} retired`]);
  });
});

describe('both doors announce one installation', () => {
  const identity = (app: MemoryApp) => ({
    installations: [{ id: FIRST, iat: seconds(app) }],
    cloudId: CLOUD,
    product: 'confluence',
  });

  test('Connect first: one tenant, under its client key', async () => {
    const app = memoryApp();
    await connectInstalls(app, identity(app));
    await forgeInstalls(app);
    expect(tenantsIn(app)).toEqual([`${TENANT} active`]);
    expect((await called(app)).tenant).toBe(TENANT);
  });

  test('Forge first: one tenant, under Forge’s id, whose client key and secret verify', async () => {
    const app = memoryApp();
    await forgeInstalls(app);
    await connectInstalls(app, identity(app));
    expect(tenantsIn(app)).toEqual([`${FORGE_TENANT} active`]);
    const record = await app.realm('us').identification.byClientKey(TENANT);
    expect(record).toMatchObject({ tenant: FORGE_TENANT, credentials: { sharedSecret: 'secret' } });
    // Again, and in another realm: the tenant is known by its client key.
    await connectInstalls(app, {}, 'us');
    expect(tenantsIn(app)).toEqual([`${FORGE_TENANT} active`]);
  });

  test('at the same instant, in every interleaving: one tenant is left, and both are known by it', async () => {
    for (let delayed = 0; delayed < 40; delayed += 1) {
      let operations = 0;
      let release: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      let isFirst = true;
      // The first caller stops before its n-th operation until the other has ended.
      const app = memoryApp({
        hooks: {
          step: async () => {
            if (!isFirst) return;
            operations += 1;
            if (operations === delayed) {
              isFirst = false;
              await gate;
            }
          },
        },
      });
      const calls = [() => forgeInstalls(app), () => connectInstalls(app, identity(app))];
      const [one, other] = delayed % 2 === 0 ? calls : calls.toReversed();
      const held = one?.().catch(() => undefined);
      for (let turn = 0; turn < 400 && isFirst; turn += 1) await Promise.resolve();
      isFirst = false;
      await other?.().catch(() => undefined);
      release();
      await held;
      // A caller that was answered 503 is repeated.
      for (const call of calls) await call();
      expect(tenantsIn(app), `held at ${delayed}`).toHaveLength(1);
      const { tenant } = await called(app);
      expect((await app.realm('us').identification.byClientKey(TENANT))?.tenant).toBe(tenant);
      expect(app.tenants.peek('us', tenant)).toMatchObject({
        state: 'active',
        credentials: { sharedSecret: 'secret' },
      });
    }
  });
});

describe('a token of an installation that was never announced', () => {
  test('is matched by its site, and remembered', async () => {
    const app = memoryApp();
    app.tenants.set('us', tenantRecord({ cloudId: CLOUD, product: 'confluence' }));
    expect((await called(app)).tenant).toBe(TENANT);
    expect(app.tenants.peek('us', TENANT)?.installations).toEqual([
      { id: FIRST, iat: seconds(app) },
    ]);
    expect((await called(app, { cloudId: SECOND })).tenant).toBe(TENANT);
  });

  test('writes nothing where the hook only looks', async () => {
    const app = memoryApp();
    app.tenants.set('us', tenantRecord({ cloudId: CLOUD }));
    await app.realm('us').identification.forgeCaller(claimsOf(app), 'look');
    expect(app.tenants.peek('us', TENANT)).not.toHaveProperty('installations');
  });

  test('does not bring an uninstalled tenant back to life', async () => {
    const app = memoryApp();
    app.tenants.set('us', tenantRecord({ cloudId: CLOUD, state: 'retired', uninstalledIat: 5 }));
    await called(app);
    expect(app.tenants.peek('us', TENANT)).toMatchObject({ state: 'retired', uninstalledIat: 5 });
  });

  test.each<[string, readonly Parameters<typeof tenantRecord>[0][]]>([
    ['nobody', []],
    ['somebody else', [{ cloudId: '22222222-2222-4222-8222-222222222222' }]],
    ['a tenant of another product', [{ cloudId: CLOUD, product: 'jira' }]],
    [
      'two who could be meant',
      [
        { tenant: 'a', cloudId: CLOUD },
        { tenant: 'b', cloudId: CLOUD },
      ],
    ],
  ])('is refused where its site has %s, and says which ids were unknown', async (_, records) => {
    const app = memoryApp();
    for (const record of records) app.tenants.set('us', tenantRecord(record));
    const refusal: unknown = await called(app).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Unauthenticated);
    for (const id of [FIRST, CLOUD]) expect(String(refusal)).toContain(id);
  });
});

describe('an uninstallation that Forge announces', () => {
  test('of an installation that was replaced since says nothing of the tenant', async () => {
    const app = memoryApp();
    await forgeInstalls(app);
    app.clock.advance(MINUTE);
    await forgeInstalls(app, { installationId: SECOND });
    app.clock.advance(MINUTE);
    await forgeUninstalls(app, { installationId: FIRST });
    expect(tenantsIn(app)).toEqual([`${FORGE_TENANT} active`]);
    await forgeUninstalls(app, { installationId: SECOND });
    expect(tenantsIn(app)).toEqual([`${FORGE_TENANT} retired`]);
  });

  test('of one that is older than the installation is ignored', async () => {
    const app = memoryApp();
    await forgeInstalls(app);
    await forgeUninstalls(app, { iat: seconds(app) - 1 });
    expect(tenantsIn(app)).toEqual([`${FORGE_TENANT} active`]);
  });

  test('of a tenant that was never announced is matched by its site', async () => {
    const app = memoryApp();
    app.tenants.set('us', tenantRecord({ cloudId: CLOUD, product: 'confluence' }));
    await forgeUninstalls(app);
    expect(tenantsIn(app)).toEqual([`${TENANT} retired`]);
  });
});

describe('a tenant that moves', () => {
  async function moved(until: 'ready-to-commit' | 'committed') {
    const app = memoryApp();
    await forgeInstalls(app);
    app.fill('us', FORGE_TENANT);
    const its = move(app, { tenant: FORGE_TENANT });
    await its.driveTo(until);
    return { app, its };
  }

  test('is known by its installation in the target, and the stub still answers its hooks', async () => {
    const { app } = await moved('committed');
    expect((await called(app, {}, 'de')).tenant).toBe(FORGE_TENANT);
    expect((await called(app, {}, 'us')).tenant).toBe(FORGE_TENANT);
    expect(app.tenants.peek('us', FORGE_TENANT)).toMatchObject({
      state: 'moved',
      installation: {},
    });
  });

  test('takes along what is announced in the middle', async () => {
    const { app, its } = await moved('ready-to-commit');
    app.clock.advance(MINUTE);
    await forgeInstalls(app, { installationId: SECOND });
    expect((await called(app, { installationId: SECOND }, 'de')).tenant).toBe(FORGE_TENANT);
    expect(await its.said.commit()).toBe('200 committing');
    expect(app.tenants.peek('de', FORGE_TENANT)?.installations).toHaveLength(2);
  });

  test('and is rolled back after it was open brings home what the target has learned', async () => {
    const { app, its } = await moved('ready-to-commit');
    expect(await its.said.commit()).toBe('200 committing');
    app.clock.advance(MINUTE);
    await called(app, { installationId: SECOND }, 'de');
    expect(await its.said.rollback()).toBe('200 rolling-back');
    await app.runAll();
    expect(app.tenants.peek('us', FORGE_TENANT)?.installations?.map(({ id }) => id)).toEqual([
      FIRST,
      SECOND,
    ]);
    expect(tenantsIn(app, 'de')).toEqual([]);
    await expect(called(app, {}, 'de')).rejects.toThrow(Unauthenticated);
  });
});

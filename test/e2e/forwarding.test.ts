/**
 * Beside an existing app: an event that was verified and stored is passed on unchanged, to the app
 * of that realm and of no other.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Residency } from '../../lambdas/domain/residency.ts';
import type { TenantState } from '../../lambdas/domain/tenants/tenant.ts';
import { startLocalHost } from '../../lib/local/host.ts';
import type { Site } from '../../lib/local/simulated-atlassian.ts';
import { residency } from '../../residency.config.ts';
import { type Received, startVendorApp, type VendorApp } from '../support/vendor-app.ts';
import { startWorld, type World } from '../support/world.ts';

const NO_ANSWERS: Readonly<Record<string, number>> = {};
let vendor: VendorApp;
let world: World;
beforeAll(async () => {
  vendor = await startVendorApp(residency.realms.map(({ realm }) => realm));
  world = await startWorld({
    env: { INSTALLED_FORWARD_URLS: JSON.stringify(vendor.urls) },
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});
afterEach(() => {
  vendor.answers = NO_ANSWERS;
});

const of = (tenant: string) => vendor.of(tenant);
const until = async (tenant: string, realm: string, state: TenantState) =>
  expect(await world.record(tenant, realm)).toMatchObject({ state });

test('an installation is stored, and then forwarded with its token and its body', async () => {
  const site = await world.installed('beside');
  const [first] = vendor.received;
  expect(of('beside')).toEqual([{ realm: 'us', path: '/installed' }]);
  expect(first?.headers.authorization).toMatch(/^JWT \S+\.\S+\.\S+$/);
  expect(JSON.parse(first?.body ?? '')).toMatchObject({
    clientKey: 'beside',
    sharedSecret: site.sharedSecret,
    eventType: 'installed',
  });
  await world.atlassian.uninstall(site);
  expect(of('beside').at(-1)).toEqual({ realm: 'us', path: '/uninstalled' });
});

test('a secret that is rotated in de reaches the app in de, and no other', async () => {
  const site = await world.installed('german', 'de');
  await world.atlassian.install(site);
  expect(of('german')).toEqual([
    { realm: 'de', path: '/installed' },
    { realm: 'de', path: '/installed' },
  ]);
  expect(JSON.parse(vendor.received.at(-1)?.body ?? '')).toMatchObject({
    sharedSecret: site.sharedSecret,
  });
});

test('the app’s failure is a fault of ours, after our own write, so that Atlassian repeats', async () => {
  const site = world.atlassian.site('unlucky', world.host.urls['us'] ?? '');
  vendor.answers = { '/installed': 500 };
  const reply = await world.atlassian.install(site);
  expect(reply.status).toBe(503);
  expect(reply.body).not.toHaveProperty('errorResponseCode');
  expect(await world.record('unlucky', 'us')).toMatchObject({ state: 'active' });
  // As after a crash between our write and the forward: the same request finds the write done, and
  // is forwarded.
  vendor.answers = NO_ANSWERS;
  expect(await again(vendor.received.at(-1), site)).toBe(204);
  expect(of('unlucky')).toHaveLength(2);
});

test('an app without a handler for /uninstalled is no fault, and one without /installed is', async () => {
  for (const status of [404, 405]) {
    const site = await world.installed(`handler-${status}`);
    vendor.answers = { '/uninstalled': status, '/installed': status };
    expect((await world.atlassian.uninstall(site)).status).toBe(204);
    await until(`handler-${status}`, 'us', 'retired');
    expect((await world.atlassian.install(site)).status).toBe(503);
    vendor.answers = NO_ANSWERS;
  }
});

test('what the configuration does not list is not forwarded, and what it lists must be handled', async () => {
  const app = {
    ...residency.app,
    installedForwardUrl: vendor.urls,
    forwardedPaths: ['/uninstalled'],
  };
  const configured = { ...residency, app } as const;
  await using other = await startWorld({ residency: configured as Residency });
  const site = await other.installed('chosen');
  expect(of('chosen')).toEqual([]);
  vendor.answers = { '/uninstalled': 404 };
  expect((await other.atlassian.uninstall(site)).status).toBe(503);
  vendor.answers = NO_ANSWERS;
  expect((await other.atlassian.uninstall(site)).status).toBe(204);
  expect(of('chosen').map(({ path }) => path)).toEqual(['/uninstalled', '/uninstalled']);
});

test('an uninstallation that the app fails to take is repeated', async () => {
  const site = await world.installed('leaving');
  vendor.answers = { '/uninstalled': 500 };
  expect((await world.atlassian.uninstall(site)).status).toBe(503);
  vendor.answers = NO_ANSWERS;
  expect((await world.atlassian.uninstall(site)).status).toBe(204);
  expect(of('leaving').slice(-2)).toEqual([
    { realm: 'us', path: '/uninstalled' },
    { realm: 'us', path: '/uninstalled' },
  ]);
});

test('an older installation that comes again does not take the newer secret from the app', async () => {
  const site = await world.installed('rotated');
  const older = vendor.received.at(-1);
  await world.atlassian.install(site);
  expect(of('rotated')).toHaveLength(2);
  expect(await again(older, site)).toBe(204);
  expect(of('rotated')).toHaveLength(2);
  // An older uninstallation is not believed either.
  await world.atlassian.uninstall(site);
  const uninstalled = vendor.received.at(-1);
  await world.atlassian.install(site);
  expect(of('rotated')).toHaveLength(4);
  expect(await again(uninstalled, site)).toBe(204);
  expect(of('rotated')).toHaveLength(4);
  await until('rotated', 'us', 'active');
});

test('events of Forge are forwarded by the same rules, and need no handler', async () => {
  const site = world.atlassian.site('forged', world.host.urls['us'] ?? '', 'forge');
  const ofForge = () => vendor.received.filter(({ path }) => path.startsWith('/forge/')).length;
  expect((await world.atlassian.install(site)).status).toBe(204);
  expect(vendor.received.at(-1)).toMatchObject({ realm: 'us', path: '/forge/lifecycle/installed' });
  expect(vendor.received.at(-1)?.headers.authorization).toMatch(/^Bearer /);
  vendor.answers = { '/forge/lifecycle/uninstalled': 404, '/forge/lifecycle/installed': 500 };
  expect((await world.atlassian.uninstall(site)).status).toBe(204);
  expect((await world.atlassian.install(site)).status).toBe(503);
  vendor.answers = NO_ANSWERS;
  expect((await world.atlassian.install(site)).status).toBe(204);
  await world.ready(site, 903);
  const before = ofForge();
  expect((await world.atlassian.upgrade(site, 'announced'))?.status).toBe(204);
  expect(ofForge()).toBe(before);
});

test('what is not verified is not forwarded', async () => {
  const before = vendor.received.length;
  const url = `${world.host.urls['us']}/installed`;
  const reply = await fetch(url, { method: 'POST', body: '{"clientKey":"forged"}' });
  expect(reply.status).toBe(401);
  expect(vendor.received).toHaveLength(before);
});

describe('the local host', () => {
  test.each([
    [{ INSTALLED_FORWARD_URL: 'http://127.0.0.1:9' }, 'is one URL for 5 realms'],
    [{ INSTALLED_FORWARD_URLS: 'us=http://127.0.0.1:9' }, 'is a JSON object of realm to URL'],
    [{ INSTALLED_FORWARD_URLS: '{"us":"http://127.0.0.1:9"}' }, 'of realm de is an https:// URL'],
  ])('refuses %j', async (env, sentence) => {
    await expect(startLocalHost({ ephemeral: true, env })).rejects.toThrow(sentence);
  });

  test('forwards to the app in production only when it is told to', async () => {
    const app = {
      ...residency.app,
      installedForwardUrl: (realm: string) =>
        realm === 'us' ? 'https://us.app.invalid' : (vendor.urls[realm] ?? ''),
    };
    await using beside = await startWorld({ residency: { ...residency, app } });
    expect(beside.lines.join('\n')).toContain(
      'installations in us are not forwarded to https://us.app.invalid: it is not on this machine',
    );
    await beside.installed('american');
    await beside.installed('bavarian', 'de');
    expect(of('american')).toEqual([]);
    expect(of('bavarian')).toEqual([{ realm: 'de', path: '/installed' }]);
  });
});

/** Sends us the request that the app received once more, byte for byte. */
async function again(request: Received | undefined, { home }: Site): Promise<number> {
  const reply = await fetch(`${home}${request?.path}`, {
    method: 'POST',
    headers: {
      authorization: request?.headers.authorization ?? '',
      'content-type': 'application/json',
    },
    body: request?.body ?? '',
  });
  return reply.status;
}

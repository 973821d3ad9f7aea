/**
 * Beside an existing app: an event that was verified and stored is passed on unchanged, to the app
 * of that realm and of no other.
 */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Residency } from '../../lambdas/domain/residency.ts';
import type { TenantState } from '../../lambdas/domain/tenants/tenant.ts';
import { startLocalHost } from '../../lib/local/host.ts';
import type { Site } from '../../lib/local/simulated-atlassian.ts';
import { residency } from '../../residency.config.ts';
import { startWorld, type World } from '../support/world.ts';

interface Received {
  /** Below `/{realm}`, the base URL of the vendor's app there. */
  readonly realm: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const received: Received[] = [];
const NO_ANSWERS: Readonly<Record<string, number>> = {};
/** Status by the path without the realm; 200 where it is not set. */
let answers = NO_ANSWERS;
const vendor = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const [, realm = '', path = ''] = /^\/(\w+)(\/.*)$/.exec(request.url ?? '') ?? [];
  const body = Buffer.concat(chunks).toString('utf8');
  received.push({ realm, path, headers: request.headers, body });
  response.writeHead(answers[path] ?? 200).end();
});

let world: World;
let urls: Readonly<Record<string, string>>;
beforeAll(async () => {
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  const { port } = vendor.address() as AddressInfo;
  urls = Object.fromEntries(
    residency.realms.map(({ realm }) => [realm, `http://127.0.0.1:${port}/${realm}`]),
  );
  world = await startWorld({ env: { INSTALLED_FORWARD_URLS: JSON.stringify(urls) } });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  vendor.close();
});
afterEach(() => {
  answers = NO_ANSWERS;
});

const of = (tenant: string) =>
  received
    .filter(({ body }) => body.includes(`"${tenant}"`))
    .map(({ realm, path }) => ({ realm, path }));
const alarms = (tenant: string) =>
  world.lines.filter((line) => line.includes('alarm:') && line.includes(`"${tenant}"`));
const until = async (tenant: string, realm: string, state: TenantState) =>
  expect(await world.record(tenant, realm)).toMatchObject({ state });

test('an installation is stored, and then forwarded with its token and its body', async () => {
  const site = await world.installed('beside');
  const [first] = received;
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
  expect(JSON.parse(received.at(-1)?.body ?? '')).toMatchObject({
    sharedSecret: site.sharedSecret,
  });
});

test('the app’s failure is a fault of ours, after our own write, so that Atlassian repeats', async () => {
  const site = world.atlassian.site('unlucky', world.host.urls['us'] ?? '');
  answers = { '/installed': 500 };
  const reply = await world.atlassian.install(site);
  expect(reply.status).toBe(503);
  expect(reply.body).not.toHaveProperty('errorResponseCode');
  expect(await world.record('unlucky', 'us')).toMatchObject({ state: 'active' });
  // As after a crash between our write and the forward: the same request finds the write done, and
  // is forwarded.
  answers = NO_ANSWERS;
  expect(await again(received.at(-1), site)).toBe(204);
  expect(of('unlucky')).toHaveLength(2);
});

test('an app without a handler for /uninstalled is no fault, and one without /installed is', async () => {
  for (const status of [404, 405]) {
    const site = await world.installed(`handler-${status}`);
    answers = { '/uninstalled': status, '/installed': status };
    expect((await world.atlassian.uninstall(site)).status).toBe(204);
    await until(`handler-${status}`, 'us', 'retired');
    expect((await world.atlassian.install(site)).status).toBe(503);
    answers = NO_ANSWERS;
  }
});

test('what the configuration does not list is not forwarded, and what it lists must be handled', async () => {
  const app = { ...residency.app, installedForwardUrl: urls, forwardedPaths: ['/uninstalled'] };
  const configured = { ...residency, app } as const;
  await using other = await startWorld({ residency: configured as Residency });
  const site = await other.installed('chosen');
  expect(of('chosen')).toEqual([]);
  answers = { '/uninstalled': 404 };
  expect((await other.atlassian.uninstall(site)).status).toBe(503);
  answers = NO_ANSWERS;
  expect((await other.atlassian.uninstall(site)).status).toBe(204);
  expect(of('chosen').map(({ path }) => path)).toEqual(['/uninstalled', '/uninstalled']);
});

test('an uninstallation that the app fails to take is repeated', async () => {
  const site = await world.installed('leaving');
  answers = { '/uninstalled': 500 };
  expect((await world.atlassian.uninstall(site)).status).toBe(503);
  answers = NO_ANSWERS;
  expect((await world.atlassian.uninstall(site)).status).toBe(204);
  expect(of('leaving').slice(-2)).toEqual([
    { realm: 'us', path: '/uninstalled' },
    { realm: 'us', path: '/uninstalled' },
  ]);
});

test('an older installation that comes again does not take the newer secret from the app', async () => {
  const site = await world.installed('rotated');
  const older = received.at(-1);
  await world.atlassian.install(site);
  expect(of('rotated')).toHaveLength(2);
  expect(await again(older, site)).toBe(204);
  expect(of('rotated')).toHaveLength(2);
  // An older uninstallation is not believed either.
  await world.atlassian.uninstall(site);
  const uninstalled = received.at(-1);
  await world.atlassian.install(site);
  expect(of('rotated')).toHaveLength(4);
  expect(await again(uninstalled, site)).toBe(204);
  expect(of('rotated')).toHaveLength(4);
  await until('rotated', 'us', 'active');
});

describe('during a move', () => {
  test('nothing is forwarded, which raises an alarm, and the copy is untouched', async () => {
    const site = await world.installed('moving');
    await world.fill('moving', 'us', 8);
    await world.ready(site, 901);
    const before = of('moving').length;
    const source = await world.atlassian.install(site); // frozen here
    expect(source.status).toBe(204);
    const inTarget: Site = { ...site, home: world.host.urls['de'] ?? '' };
    expect((await world.atlassian.install(inTarget)).status).toBe(204); // standby there
    expect(of('moving')).toHaveLength(before);
    expect(alarms('moving').filter((line) => line.includes('installed is not forwarded'))).toEqual([
      expect.stringContaining('realm us, where the tenant is frozen'),
      expect.stringContaining('realm de, where the tenant is standby'),
    ]);
    // Our own records have the new secret: the move ends well, with tokens that it signs.
    site.sharedSecret = inTarget.sharedSecret;
    expect((await world.hook(site, 'commit', 901)).status).toBe(200);
    await world.until(site, 901, ['committed']);
    site.home = world.host.urls['de'] ?? '';
    expect((await world.atlassian.install(site)).status).toBe(204);
    expect(of('moving').at(-1)).toEqual({ realm: 'de', path: '/installed' });
    expect(of('moving')).toHaveLength(before + 1);
    // A late request to a stub: Atlassian and our records disagree, and the app in us holds nothing
    // of this tenant.
    const late: Site = { ...site, home: world.host.urls['us'] ?? '' };
    expect((await world.atlassian.install(late)).status).toBe(204);
    expect(of('moving')).toHaveLength(before + 1);
  });

  test('an uninstallation is not forwarded either: it cancels the move first', async () => {
    const site = await world.installed('leaving-late');
    await world.ready(site, 902);
    const before = of('leaving-late').length;
    expect((await world.atlassian.uninstall(site)).status).toBe(204);
    const [alarm = ''] = alarms('leaving-late').filter((line) => line.includes('not forwarded'));
    expect(alarm).toContain('uninstalled is not forwarded to the app in realm us');
    expect(of('leaving-late')).toHaveLength(before);
    await world.until(site, 902, ['rolled-back']);
  });
});

test('events of Forge are forwarded by the same rules, and need no handler', async () => {
  const site = world.atlassian.site('forged', world.host.urls['us'] ?? '', 'forge');
  const ofForge = () => received.filter(({ path }) => path.startsWith('/forge/')).length;
  expect((await world.atlassian.install(site)).status).toBe(204);
  expect(received.at(-1)).toMatchObject({ realm: 'us', path: '/forge/lifecycle/installed' });
  expect(received.at(-1)?.headers.authorization).toMatch(/^Bearer /);
  answers = { '/forge/lifecycle/uninstalled': 404, '/forge/lifecycle/installed': 500 };
  expect((await world.atlassian.uninstall(site)).status).toBe(204);
  expect((await world.atlassian.install(site)).status).toBe(503);
  answers = NO_ANSWERS;
  expect((await world.atlassian.install(site)).status).toBe(204);
  await world.ready(site, 903);
  const before = ofForge();
  expect((await world.atlassian.upgrade(site, 'announced'))?.status).toBe(204);
  expect(ofForge()).toBe(before);
});

test('what is not verified is not forwarded', async () => {
  const before = received.length;
  const url = `${world.host.urls['us']}/installed`;
  const reply = await fetch(url, { method: 'POST', body: '{"clientKey":"forged"}' });
  expect(reply.status).toBe(401);
  expect(received).toHaveLength(before);
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
        realm === 'us' ? 'https://us.app.invalid' : (urls[realm] ?? ''),
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

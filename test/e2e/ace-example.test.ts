/**
 * The example under examples/ace: an app on atlassian-connect-express that runs alone, is adopted
 * as docs/adopt.md says, and whose tenant is moved and rolled back. Its packages are no
 * dependencies of this project: skipped where `npm install` was not run there.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApp, startRealm } from '../../examples/ace/realms.mts';
import { aceResidency } from '../../examples/ace/residency.mts';
import { type Router, type Routes, startRouter } from '../../examples/ace/router.mts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import type { Site } from '../../lib/local/simulated-atlassian.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { eventually, startWorld, type World } from '../support/world.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'examples/ace');
const isInstalled = existsSync(join(FOLDER, 'node_modules/atlassian-connect-express'));

type Realm = 'us' | 'de';
describe.skipIf(!isInstalled)(
  `an app on atlassian-connect-express${isInstalled ? '' : ' (npm install was not run in examples/ace)'}`,
  { timeout: 60_000 },
  () => {
    const running = new Map<Realm, RunningApp>();
    const routes: Routes = { apps: {}, stacks: {} };
    let residency: Residency;
    let world: World;
    let router: Router;
    let command: OperatorCommand;
    let ports: Readonly<Record<'router' | Realm, number>>;
    let acme: Site;

    beforeAll(async () => {
      execFileSync(process.execPath, [join(ROOT, 'packages/guard/build.ts')]);
      const [first, port] = [await freeTcpPorts(), await freeTcpPorts()];
      ports = { router: first, us: first + 1, de: first + 2 };
      residency = aceResidency(ports.router, ports);
      world = await startWorld({ residency, port });
      command = operatorCommand(port, residency);
      router = await startRouter(ports.router, routes);
      for (const realm of ['us', 'de'] as const) await run(realm, { isAdopted: false });
    }, 120_000);
    afterAll(async () => {
      for (const app of running.values()) await app.stop();
      await router?.close();
      await world?.[Symbol.asyncDispose]();
    });

    async function run(realm: Realm, { isAdopted }: { readonly isAdopted: boolean }) {
      await running.get(realm)?.stop();
      const around = { host: world.host, residency, ports };
      running.set(realm, await startRealm(around, realm, isAdopted));
      routes.apps[realm] = `http://127.0.0.1:${ports[realm]}`;
    }

    /** As a page of the app in the user's browser asks, at the site's home or elsewhere. */
    async function notes(site: Site, note?: { id: string; text: string }, at = site.home) {
      const method = note === undefined ? 'GET' : 'POST';
      const authorization = world.atlassian.authorization(site, method, `${at}/notes`, at);
      const response = await fetch(`${at}/notes`, {
        method,
        headers: { authorization, 'content-type': 'application/json' },
        ...(note && { body: JSON.stringify(note) }),
      });
      const text = await response.text();
      return { status: response.status, body: /^[[{]/.test(text) ? JSON.parse(text) : text };
    }
    const janitor = (realm: Realm) => world.host.invoke(realm, 'tasks/janitor', {});
    const ok = async (...args: readonly string[]) => {
      const { code, report } = await command.json(...args);
      expect([args[0], code, code === 0 ? '' : report]).toEqual([args[0], 0, '']);
      return Object(report);
    };

    test('runs alone, in us: Atlassian installs it, and a customer writes notes', async () => {
      acme = world.atlassian.site('acme', world.host.urls['us'] ?? '');
      await eventually(async () => (await world.atlassian.install(acme)).status === 204);
      expect((await notes(acme, { id: 'one', text: 'first' })).status).toBe(201);
      expect(await notes(acme)).toEqual({ status: 200, body: [{ id: 'one', text: 'first' }] });
      expect(await world.record('acme', 'us')).toBeUndefined();
    });

    test('is adopted: its tenants are imported, the router sends ours to the stacks, nothing is amiss', async () => {
      const table = ['--table', 'settings-local-us', '--region', 'us-east-1'];
      const endpoint = { AWS_ENDPOINT_URL_DYNAMODB: world.host.dynamoDbUrl };
      Object.assign(process.env, endpoint);
      await ok('import', '--from', 'ace', ...table, '--realm', 'us', '--apply', '--yes');
      expect(await world.record('acme', 'us')).toMatchObject({ state: 'active' });
      for (const [realm, url] of Object.entries(world.host.ownUrls)) routes.stacks[realm] = url;
      for (const realm of ['us', 'de'] as const) await run(realm, { isAdopted: true });
      expect((await ok('audit', '--all')).findings).toEqual([]);
      expect((await ok('rehearse', 'acme', '--to', 'de')).obstacles).toEqual([]);
      await eventually(async () => (await notes(acme)).status === 200);
      expect((await notes(acme, { id: 'two', text: 'second' })).status).toBe(201);
    });

    test('is moved, and takes a secret that was rotated in the middle of it', async () => {
      await world.ready(acme, 1);
      expect((await notes(acme)).status).toBe(200);
      expect((await notes(acme, { id: 'three', text: 'lost?' })).status).toBe(503);
      expect((await world.atlassian.install(acme)).status).toBe(204);
      expect((await world.hook(acme, 'commit', 1)).status).toBe(200);
      await world.until(acme, 1, ['committed']);
      const before = acme.home;
      acme.home = world.host.urls['de'] ?? '';
      expect((await notes(acme)).body).toHaveLength(2);
      expect((await notes(acme, { id: 'three', text: 'third' })).status).toBe(201);
      const elsewhere = await notes(acme, undefined, before);
      expect(elsewhere).toMatchObject({ status: 421, body: { realm: 'de', baseUrl: acme.home } });
      await janitor('de');
      expect(world.lines.join('\n')).toContain('that came during a move is delivered to the app');
      expect(world.lines.filter((line) => line.includes('alarm:'))).toEqual([]);
    });

    test('is rolled back after the commit, with what was written since', async () => {
      acme.home = world.host.urls['us'] ?? '';
      await world.hook(acme, 'rollback', 1);
      await world.until(acme, 1, ['rolled-back']);
      expect((await notes(acme)).body).toHaveLength(3);
      expect((await notes(acme, undefined, world.host.urls['de'])).status).toBe(401);
    });

    test('is rolled back before the commit, and no note is lost', async () => {
      await world.ready(acme, 2);
      await world.hook(acme, 'rollback', 2);
      await world.until(acme, 2, ['rolled-back']);
      expect((await notes(acme, { id: 'four', text: 'fourth' })).status).toBe(201);
      expect((await notes(acme)).body).toHaveLength(4);
      expect((await ok('where', 'acme')).verdict).toBe('one');
    });

    test('is uninstalled, and refuses its tenant from then on', async () => {
      expect((await world.atlassian.uninstall(acme)).status).toBe(204);
      expect((await notes(acme)).status).toBe(401);
      const complaints = [...running.values()].flatMap((app) => app.complaints).join('');
      expect(complaints).not.toContain('a delivery is refused');
    });
  },
);

/**
 * `reconcile`, through the real command line: our tenants beside Atlassian's list of installations,
 * and what is retired by it.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Site } from '../../lib/local/simulated-atlassian.ts';
import { tenantOf } from '../../lib/local/story/site-values.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { eventually, facts, startWorld, type World } from '../support/world.ts';

let world: World;
let residency: OperatorCommand;
let folder: string;
const sites: Record<string, Site> = {};

beforeAll(async () => {
  const port = await freeTcpPorts();
  // A copy waits this long after the fence, and so does its rollback.
  world = await startWorld({ port, env: { DRAIN_SECONDS: '10' } });
  residency = operatorCommand(port);
  folder = await mkdtemp(join(tmpdir(), 'reconcile-'));
  for (const name of ['kept', 'gone', 'moving', 'nameless'])
    sites[name] = await world.installed(name);
  const left = await world.installed('left');
  sites['left'] = left;
  expect((await world.atlassian.uninstall(left)).status).toBe(204);
  for (const name of ['forge-kept', 'forge-gone']) {
    const site = world.atlassian.site(name, world.host.urls['de'] ?? '', 'forge');
    expect((await world.atlassian.install(site)).status).toBe(204);
    sites[name] = site;
  }
  const moving = siteOf('moving');
  await world.scheduled(moving, 1);
  expect((await world.hook(moving, 'start', 1, facts('DE'))).status).toBe(200);
  // A tenant of long ago, whose installation named no cloud id.
  await world.documents('us').send(
    new UpdateCommand({
      TableName: 'residency-local-us-tenants',
      Key: { tenant: 'nameless' },
      UpdateExpression: 'SET installation = :old, revision = revision + :one REMOVE cloudId',
      ExpressionAttributeValues: {
        ':old': '{"baseUrl":"https://nameless.atlassian.example/wiki"}',
        ':one': 1,
      },
    }),
  );
  made = new Date(Date.now() + 1_000).toISOString();
  await eventually(() => new Date().toISOString() > made);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await world[Symbol.asyncDispose]();
});

/**
 * After everybody was installed, in the second after the last one: simulated installations have
 * seconds of their own.
 */
let made = '';

function siteOf(name: string): Site {
  const site = sites[name];
  if (site === undefined) throw new Error(`no site ${name}`);
  return site;
}

const idOf = (name: string) => tenantOf(siteOf(name));
const bare = (id: string | undefined) => id?.split('/').at(-1) ?? randomUUID();
const context = ({ cloudId }: Site) => `ari:cloud:confluence::site/${cloudId}`;

/** As the App Installations API answers. */
const listOf = (...names: readonly string[]) => ({
  installations: names.map((name) => ({
    id: bare(sites[name]?.installations[0]),
    installationContext:
      sites[name] === undefined ? `ari:cloud:jira::site/${randomUUID()}` : context(siteOf(name)),
    version: '12.0.3',
    secondaryInstallationContexts: [],
  })),
  cursor: null,
});

async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, null, 1));
  return path;
}

const reconcile = async (content: unknown, ...args: readonly string[]) =>
  residency.json('reconcile', '--installations', await file('list', content), ...args);

/** What is said of whom. */
function found(report: unknown): Readonly<Record<string, string>> {
  const rows: readonly Record<string, string>[] = Object(report).rows;
  return Object.fromEntries(
    rows.map((row) => [String(row['tenant'] ?? row['installation']), String(row['found'])]),
  );
}

const ALL = ['kept', 'gone', 'moving', 'forge-kept', 'forge-gone'] as const;

describe('reconcile', () => {
  test('finds nothing where both have the same', async () => {
    const report = await reconcile(listOf(...ALL));
    // A host name alone identifies no tenant.
    expect(found(report.report)).toEqual({ nameless: 'doubt' });
  });

  test('shows who is gone there, who is unknown or not served here, and who cannot be told', async () => {
    const { code, report } = await reconcile(listOf('kept', 'forge-kept', 'left', 'stranger'));
    expect(code).toBe(1);
    const { stranger: _, ...rest } = found(report);
    expect(Object.values(rest).sort()).toEqual(
      ['doubt', 'gone', 'gone', 'gone', 'not-served', 'unknown'].sort(),
    );
    expect(rest).toMatchObject({
      gone: 'gone',
      moving: 'gone',
      [idOf('forge-gone')]: 'gone',
      nameless: 'doubt',
      left: 'not-served',
    });
    expect(await world.record('gone', 'us')).toMatchObject({ state: 'active' });
  });

  test('takes a host name for no more than a doubt, as forge install list gives it', async () => {
    const list = [
      ...['gone', 'nameless'].map((name) => ({
        id: `ari:cloud:ecosystem::installation/${randomUUID()}`,
        environment: 'production',
        site: new URL(siteOf(name).productUrl).hostname,
        product: 'Confluence',
        status: 'Up-to-date',
      })),
      {
        id: randomUUID(),
        environment: 'development',
        site: 'dev.atlassian.example',
        product: 'Jira',
      },
    ];
    const { report } = await reconcile(list);
    expect(found(report)).toMatchObject({ gone: 'doubt', nameless: 'doubt', kept: 'doubt' });
    // These are known by the id of their installation, which every entry has.
    expect(found(report)).toMatchObject({ [idOf('forge-kept')]: 'gone' });
    expect(report).toMatchObject({ listed: 2, otherEnvironments: 1 });
  });

  test('tells the products of one site apart, unless the installation is in both', async () => {
    const { installations, cursor } = listOf(...ALL);
    const inJira = (rest: object = {}) => ({
      cursor,
      installations: installations.map((one) => ({
        ...one,
        installationContext: one.installationContext.replace('confluence', 'jira'),
        ...rest,
      })),
    });
    expect(found((await reconcile(inJira())).report)['kept']).toBe('gone');
    const both = inJira({ secondaryInstallationContexts: [context(siteOf('kept'))] });
    expect(found((await reconcile(both)).report)['kept']).toBeUndefined();
  });

  test('leaves alone who was installed after the list was made', async () => {
    const before = new Date(Date.now() - 3_600_000).toISOString();
    const { report } = await reconcile(listOf('kept'), '--as-of', before, '--apply', '--yes');
    expect(report).toMatchObject({ installedLater: 6, rows: [] });
  });

  test.each([
    [
      'a page that is not the last',
      { ...listOf('kept'), cursor: 'more' },
      [1, 'is not the whole list'],
    ],
    [
      'a list of licences',
      'addonLicenseId,cloudId\n1,11111111-1111\n',
      [1, 'is a list of licences'],
    ],
    ['an empty list', { installations: [], cursor: null }, [1, 'lists no installation']],
    [
      'a list of another environment',
      [{ id: randomUUID(), environment: 'staging' }],
      [1, 'of the environment production'],
    ],
    [
      'entries without names',
      'cloud_id,version\n,1\n11111111-1111,2\n',
      [1, 'line 2: it names no installation'],
    ],
    [
      'malformed ids',
      `[{"id":"7"},\n{"cloudId":"!"}]`,
      [1, 'line 1: its installation id is malformed; line 2: its cloud id'],
    ],
    ['no JSON', '[{', [1, 'line 1: it is no JSON from here on']],
  ] as const)('refuses %s', async (_, content, [code, says]) => {
    const path = await file('bad', content);
    const args = ['--as-of', made, '--apply', '--yes'];
    const answer = await residency('reconcile', '--installations', path, ...args);
    expect([answer.code, answer.stderr]).toEqual([code, expect.stringContaining(says)]);
  });

  test('does not retire by a list of unknown age, nor more than it is told to', async () => {
    const path = await file('two', listOf('kept', 'forge-kept', 'moving'));
    const run = (...args: readonly string[]) =>
      residency('reconcile', '--installations', path, '--apply', '--yes', ...args);
    expect((await run()).stderr).toContain('Say --as-of');
    expect((await run('--as-of', '2999-01-01T00:00Z')).stderr).toContain('in the future');
    expect((await run('--as-of', '2026-11-25T02:00')).stderr).toContain('says its offset');
    const many = await run('--as-of', made, '--at-most', '1');
    expect([many.code, many.stderr]).toEqual([1, expect.stringContaining('say --at-most 2')]);
    expect(await world.record('gone', 'us')).toMatchObject({ state: 'active' });
  });

  test('retires who is gone as an uninstallation does, and undoes the move of one that moves', async () => {
    const list = listOf('kept', 'forge-kept');
    const { code, report } = await reconcile(list, '--as-of', made, '--apply', '--yes');
    // Whoever cannot be told is left for a person.
    expect(code).toBe(1);
    const rows: readonly Record<string, string>[] = Object(report).rows;
    const outcomes = Object.fromEntries(rows.map((row) => [row['tenant'], row['outcome']]));
    expect(outcomes).toEqual({
      gone: 'retired',
      [idOf('forge-gone')]: 'retired',
      moving: 'cancelling',
      nameless: undefined,
    });
    const second = Math.floor(Date.parse(made) / 1000);
    const gone = await world.record('gone', 'us');
    expect(gone).toMatchObject({ state: 'retired', uninstalledIat: second });
    expect(Number(gone?.['purgeDueAt'])).toBeGreaterThan(second + 29 * 86_400);
    await eventually(async () => (await world.record('moving', 'us'))?.['state'] === 'retired');
    await eventually(async () => (await world.record('moving', 'de')) === undefined);
    for (const [name, realm] of [
      ['kept', 'us'],
      ['nameless', 'us'],
      [idOf('forge-kept'), 'de'],
    ] as const)
      expect(await world.record(name, realm)).toMatchObject({ state: 'active' });
    expect(found((await reconcile(list)).report)).toEqual({ nameless: 'doubt' });
  });

  test('lets a tenant that was retired by mistake come back with its data', async () => {
    const site = siteOf('gone');
    expect((await world.atlassian.install(site)).status).toBe(204);
    expect(await world.record('gone', 'us')).toMatchObject({ state: 'active' });
  });
});

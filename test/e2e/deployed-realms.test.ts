/**
 * A host of two of the five configured realms: the other three are neither asked, served nor named.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { deployedIn } from '../../lambdas/domain/deployed-realms.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { residencyCommand } from '../../lib/operator/program.ts';
import { residency as configured } from '../../residency.config.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { facts, startWorld, type World } from '../support/world.ts';

/** Few ranges, because their number does not matter here. */
const residency: Residency = {
  ...configured,
  parts: configured.parts.map((part) =>
    part.shards === undefined ? part : { ...part, shards: 2 },
  ),
};
const regions = new Set<string>();
let port: number;
let world: World;
beforeAll(async () => {
  port = await freeTcpPorts();
  world = await startWorld({
    port,
    residency,
    env: { REALMS: 'us,de' },
    onCall: ({ region }) => regions.add(region),
  });
});
afterAll(() => world[Symbol.asyncDispose]());

async function residencyCli(...args: readonly string[]) {
  const [printed, complained]: [string[], string[]] = [[], []];
  const code = await residencyCommand([...args, '--local', String(port)], {
    residency,
    print: (text) => printed.push(text),
    complain: (text) => complained.push(text),
    isInteractive: false,
    ask: async () => '',
  });
  return { code, stdout: printed.join('\n'), stderr: complained.join('\n') };
}

describe('two of five realms', () => {
  test('are what the descriptor names', async () => {
    const response = await fetch(`${world.host.urls['us']}/atlassian-connect.json`);
    const descriptor: unknown = await response.json();
    expect(Object.keys(Object(descriptor).regionBaseUrls)).toEqual(['US', 'DE']);
  });

  test('install and move without a call to any other region', async () => {
    const site = await world.installed('acme');
    await world.fill('acme', 'us', 5);
    const items = await world.items('acme', 'us');
    await world.moved(site, 1, 'DE');
    expect(await world.items('acme', 'de')).toEqual(items);
    // An unknown id, in a realm that the tenant has left: every deployed realm is asked.
    expect((await world.hook(site, 'status', 77, {}, 'us')).status).toBe(404);
    await world.host.invoke('us', 'tasks/janitor', {});
    expect([...regions].sort()).toEqual(['eu-central-1', 'us-east-1']);
  });

  test('refuse a move to a realm that is configured and not deployed', async () => {
    const site = await world.installed('bounded');
    const reply = await world.hook(site, 'schedule', 3, facts('EU'));
    expect([reply.status, Object(reply.body).errorResponseCode]).toEqual([400, 'E0002']);
  });

  test.each([
    ['where', 'acme'],
    ['audit', '--all'],
    ['doctor'],
    ['status'],
    ['migrations', '--all'],
    ['settings'],
    ['rehearse', 'acme', '--to', 'us'],
  ])('are all that an operator’s command looks at: %s %s', async (...args) => {
    const { code, stdout, stderr } = await residencyCli(...args, '--realms', 'us,de');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')[0]).toBe(`local host on port ${port}, realms us, de`);
    // The region of de begins like a realm.
    expect(stdout.replaceAll('eu-central-1', '')).not.toMatch(/\b(eu|au|sg)\b/);
  });

  test('are found by the variable that the local host has', async () => {
    vi.stubEnv('REALMS', 'us,de');
    const { code } = await residencyCli('where', 'acme');
    vi.unstubAllEnvs();
    expect(code).toBe(0);
  });

  test('are named where a command is about another one', async () => {
    const { code, stderr } = await residencyCli(
      ...['set', '--realm', 'eu', '--new-moves', 'off', '--yes', '--realms', 'us,de'],
    );
    expect([code, stderr]).toEqual([
      2,
      `local host on port ${port}: realm eu is not deployed: there are us, de`,
    ]);
    expect(await residencyCli('where', 'acme', '--realms', 'us,mars')).toMatchObject({ code: 2 });
  });

  test('are compared by doctor with those that the functions know', async () => {
    const { code, stdout } = await residencyCli('doctor', '--realms', 'us');
    expect(code).toBe(1);
    expect(stdout).toContain('it was deployed for the realms us, de, and this command is about us');
  });
});

test('a host is refused without its default realm', async () => {
  await expect(startWorld({ env: { REALMS: 'de,eu' } })).rejects.toThrow(
    'realms leaves out the default realm, us',
  );
  expect(deployedIn(residency, 'us').realms).toHaveLength(1);
});

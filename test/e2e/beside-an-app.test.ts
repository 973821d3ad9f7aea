/**
 * Beside an existing app, with its router in front: base URLs, audiences, a whole move, and no
 * finding of `doctor`.
 */
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { residencyCommand } from '../../lib/operator/program.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type Beside, startBeside } from '../support/beside.ts';
import { startWorld, type World } from '../support/world.ts';

let beside: Beside;
let world: World;
let port: number;
beforeAll(async () => {
  beside = await startBeside();
  port = await freeTcpPorts();
  world = await startWorld({ residency: beside.residency, port });
  routeRightly();
});
afterEach(routeRightly);
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await beside[Symbol.asyncDispose]();
});

function routeRightly(): void {
  for (const [realm, url] of Object.entries(world.host.ownUrls)) beside.routes.set(realm, url);
}

interface Checked {
  readonly realm: string;
  readonly check: string;
  readonly ok: boolean;
  readonly says: string;
}

async function doctor(): Promise<{ readonly code: number; readonly wrong: readonly Checked[] }> {
  const said: string[] = [];
  const code = await residencyCommand(['doctor', '--local', String(port), '--json'], {
    residency: beside.residency,
    print: (text) => said.push(text),
    complain: (text) => said.push(text),
    isInteractive: false,
    ask: async () => '',
  });
  const { checks } = JSON.parse(said.join(''));
  return { code, wrong: checks.filter(({ ok }: Checked) => !ok) };
}

test('a realm is called what the router is called, in one spelling', () => {
  expect(world.host.urls['de']).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/de$/);
  expect(world.host.urls['de']).not.toBe(world.host.ownUrls['de']);
});

test('a whole move goes through the router, and each realm’s app hears of its own installations', async () => {
  const site = await world.installed('routed');
  await world.fill('routed', 'us', 12);
  const before = await world.items('routed', 'us');
  await world.moved(site, 41, 'DE');
  expect(await world.items('routed', 'de')).toEqual(before);
  expect(site.home).toBe(world.host.urls['de']);
  expect((await world.atlassian.install(site)).status).toBe(204);
  expect(beside.told).toEqual(['us installed', 'de installed']);
});

test('a token for the stack’s own URL is refused: it is not what Atlassian was told', async () => {
  const site = world.atlassian.site('around', world.host.ownUrls['us'] ?? '');
  expect((await world.atlassian.install(site)).status).toBe(401);
});

test('a token for the base URL of another realm is refused', async () => {
  const site = world.atlassian.site('elsewhere', world.host.urls['de'] ?? '');
  beside.routes.set('de', world.host.ownUrls['sg'] ?? '');
  expect((await world.atlassian.install(site)).status).toBe(401);
});

test('what the guard says of a tenant that has moved is the router’s URL', async () => {
  const site = await world.installed('gone');
  await world.moved(site, 42, 'EU');
  const reply = await world.atlassian.request(
    site,
    'GET',
    '/templates/one',
    undefined,
    world.host.ownUrls['us'],
  );
  expect(reply.status).toBe(421);
  expect(reply.body).toMatchObject({ baseUrl: world.host.urls['eu'] });
});

describe('doctor', () => {
  test('is green when all is well: the app’s own descriptor and /health are its own', async () => {
    expect(await doctor()).toEqual({ code: 0, wrong: [] });
  });

  test('finds a router that leads to another realm', async () => {
    beside.routes.set('de', world.host.ownUrls['us'] ?? '');
    const { code, wrong } = await doctor();
    expect(code).toBe(1);
    expect(wrong).toMatchObject([{ realm: 'de', check: 'health' }]);
    expect(wrong[0]?.says).toContain('/de/dare-migration/health realm us of stage local answers');
  });

  test('finds a router that leads to the app, which knows no such path, or nowhere', async () => {
    beside.routes.set('eu', `${world.host.urls['us']}/elsewhere`);
    beside.routes.set('au', 'http://127.0.0.1:1');
    const { wrong } = await doctor();
    expect(wrong.map(({ realm, check }) => `${realm} ${check}`)).toEqual([
      'eu health',
      'au health',
    ]);
    expect(wrong[0]?.says).toContain('it answers 404 at');
    expect(wrong[1]?.says).toContain('it answers 502 at');
  });

  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    [
      'without the hook',
      { lifecycle: { installed: '/installed', uninstalled: '/uninstalled' } },
      'lifecycle.dare-migration: lifecycle.dare-migration is missing, not "/dare-migration"',
    ],
    [
      'with another key',
      { key: 'com.example.other' },
      'differs in key: key is "com.example.other"',
    ],
    ['with a realm that is not served', {}, 'differs in regionBaseUrls.CA'],
    ['without our window', { dataResidency: {} }, 'maxMigrationDurationHours is missing, not 1.5'],
  ])('finds a descriptor %s', async (_, change, says) => {
    const { descriptor } = beside;
    const regional = Object(descriptor['regionBaseUrls']);
    const isOfRealms = Object.keys(change).length === 0;
    beside.descriptor = {
      ...descriptor,
      ...(isOfRealms ? { regionBaseUrls: { ...regional, CA: 'https://ca.app.example' } } : change),
    };
    const { code, wrong } = await doctor();
    beside.descriptor = descriptor;
    expect(code).toBe(1);
    expect(new Set(wrong.map(({ check }) => check))).toEqual(new Set(['descriptor']));
    expect(wrong[0]?.says).toContain(says);
  });
});

test('the app reads its own tables as it likes; what we read is refused where it might be old', async () => {
  const read = async (accessKeyId: string) => {
    const client = new DynamoDBClient({
      region: 'us-east-1',
      endpoint: world.host.dynamoDbUrl,
      credentials: { accessKeyId, secretAccessKey: 'secret' },
    });
    const get = new GetItemCommand({
      TableName: 'residency-local-us-templates',
      Key: { tenant: { S: 'acme' }, id: { S: 'one' } },
    });
    return client.send(get).finally(() => client.destroy());
  };
  expect(await read('the-vendors-own-key')).toMatchObject({ $metadata: { httpStatusCode: 200 } });
  await expect(read(process.env['AWS_ACCESS_KEY_ID'] ?? '')).rejects.toThrow(
    'GetItem on residency-local-us-templates reads without ConsistentRead',
  );
});

/**
 * Beside an existing app: an event that comes while its tenant is in a move is kept, and delivered
 * by the realm that serves the tenant afterwards.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { regionOf } from '../../lambdas/domain/realm.ts';
import type { DynamoDbCall, InjectedFault } from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import type { Site } from '../../lib/local/simulated-atlassian.ts';
import { residencyDelivery } from '../../packages/guard/src/delivery.ts';
import { residency } from '../../residency.config.ts';
import { isAllowed } from '../support/policies.ts';
import { callRecorder } from '../support/recorded-calls.ts';
import { templatesOf } from '../support/templates.ts';
import { type Received, startVendorApp, type VendorApp } from '../support/vendor-app.ts';
import { startWorld, type World } from '../support/world.ts';

const recorder = callRecorder();
let vendor: VendorApp;
let world: World;
let fault: ((call: DynamoDbCall) => InjectedFault | undefined) | undefined;
/** Batches that are written to parts in `us` wait for it. */
let writesInUs: Promise<void> | undefined;
beforeAll(async () => {
  vendor = await startVendorApp(residency.realms.map(({ realm }) => realm));
  world = await startWorld({
    env: { INSTALLED_FORWARD_URLS: JSON.stringify(vendor.urls) },
    onCall: recorder.onCall,
    dynamoDb: {
      inject: (call) => fault?.(call),
      onRequest: ({ operation, region }) =>
        operation === 'BatchWriteItem' && region === 'us-east-1' ? writesInUs : undefined,
    },
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const alarms = (tenant: string) =>
  world.lines.filter((line) => line.includes('alarm:') && line.includes(`"${tenant}"`));

describe('during a move', () => {
  const janitor = (realm: string) => world.host.invoke(realm, 'tasks/janitor', {});
  const janitors = async () => {
    for (const realm of ['us', 'de']) await janitor(realm);
  };
  const deliveries = (tenant: string) =>
    vendor.received.filter(
      ({ headers, body }) =>
        headers['x-residency-delivery'] !== undefined && body.includes(`"${tenant}"`),
    );
  const keptIn = async (realm: string, tenant: string): Promise<unknown> => {
    const { Item } = await world.documents(realm).send(
      new GetCommand({
        TableName: `residency-local-${realm}-tenants`,
        Key: { tenant: `#kept#${tenant}` },
        ConsistentRead: true,
      }),
    );
    return Item?.['events'];
  };
  const clients: DynamoDBClient[] = [];
  afterAll(() => {
    for (const client of clients) client.destroy();
  });
  function clientOf(realm: string): DynamoDBClient {
    const client = new DynamoDBClient({
      region: regionOf(residency.realms, realm),
      endpoint: world.host.dynamoDbUrl,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    clients.push(client);
    return client;
  }
  /** As the vendor's app in that realm verifies it. */
  const verified = ({ realm, path, headers, body }: Received) => {
    const verify = residencyDelivery({
      app: residency.name,
      stage: 'local',
      realm,
      appKey: residency.app.key,
      client: clientOf(realm),
    });
    return verify({ token: String(headers['x-residency-delivery']), body, path });
  };

  test('an event is kept, and delivered by the target after the commit, once', async () => {
    const site = await world.installed('moving');
    await world.fill('moving', 'us', 8);
    await world.ready(site, 901);
    const before = vendor.of('moving').length;
    expect((await world.atlassian.install(site)).status).toBe(204); // frozen here
    const inTarget: Site = { ...site, home: world.host.urls['de'] ?? '' };
    expect((await world.atlassian.install(inTarget)).status).toBe(204); // standby there
    await janitors();
    expect(vendor.of('moving')).toHaveLength(before);
    expect(await keptIn('us', 'moving')).toContain(inTarget.sharedSecret);
    expect(alarms('moving').filter((line) => line.includes('not forwarded'))).toEqual([]);
    // Our own records have the new secret: the move ends well, with tokens that it signs.
    site.sharedSecret = inTarget.sharedSecret;
    expect((await world.hook(site, 'commit', 901)).status).toBe(200);
    await world.until(site, 901, ['committed']);
    vendor.answers = { '/installed': 500 };
    await janitors();
    expect(alarms('moving').at(-1)).toContain('cannot be delivered to the app in realm de');
    vendor.answers = {};
    await janitors();
    // Once in vain, once taken; the older secret is in neither.
    const [vain, taken, ...more] = deliveries('moving');
    expect([vain?.realm, taken?.realm, more]).toEqual(['de', 'de', []]);
    expect(JSON.parse(taken?.body ?? '')).toMatchObject({ sharedSecret: site.sharedSecret });
    expect(taken?.headers.authorization).toMatch(/^JWT /);
    expect(taken && (await verified(taken))).toEqual({
      kind: 'delivery',
      named: 'moving',
      tenant: 'moving',
    });
    await janitors();
    expect(deliveries('moving')).toHaveLength(2);
    expect(await keptIn('us', 'moving')).toBe('[]');
    expect(await keptIn('de', 'moving')).toBe('[]');
    const said = world.lines.join('\n');
    expect(said).toContain('installed that came during a move is delivered to the app');
    for (const secret of [
      site.sharedSecret,
      String(taken?.headers.authorization).slice(4),
      String(taken?.headers['x-residency-delivery']),
    ])
      expect(said).not.toContain(secret);

    site.home = world.host.urls['de'] ?? '';
    expect((await world.atlassian.install(site)).status).toBe(204);
    expect(vendor.of('moving').at(-1)).toEqual({ realm: 'de', path: '/installed' });
    // A late request to a stub: Atlassian and our records disagree, and the app in us holds nothing
    // of this tenant.
    const count = vendor.of('moving').length;
    const late: Site = { ...site, home: world.host.urls['us'] ?? '' };
    expect((await world.atlassian.install(late)).status).toBe(204);
    await janitors();
    expect(vendor.of('moving')).toHaveLength(count);
  });

  test('an event that could be kept in one realm only is not acknowledged, and is kept when it is repeated', async () => {
    const site = await world.installed('halfway');
    await world.ready(site, 903);
    const body = { clientKey: 'halfway' };
    fault = ({ operation, region, input }) =>
      operation === 'PutItem' &&
      region === 'eu-central-1' &&
      JSON.stringify(input).includes('#kept#halfway')
        ? { error: 'InternalServerError' }
        : undefined;
    expect((await world.atlassian.install(site)).status).toBe(503);
    fault = undefined;
    expect((await world.atlassian.install(site)).status).toBe(204);
    expect((await world.hook(site, 'commit', 903)).status).toBe(200);
    await world.until(site, 903, ['committed']);
    await janitors();
    const [delivered, ...more] = deliveries('halfway');
    expect([delivered?.realm, more]).toEqual(['de', []]);
    expect(JSON.parse(delivered?.body ?? '')).toMatchObject({
      ...body,
      sharedSecret: site.sharedSecret,
    });
  });

  test('an uninstallation cancels the move, and is delivered by the source after the rollback', async () => {
    const site = await world.installed('leaving-late');
    await world.ready(site, 902);
    const before = vendor.of('leaving-late').length;
    expect((await world.atlassian.uninstall(site)).status).toBe(204);
    expect(vendor.of('leaving-late')).toHaveLength(before);
    await world.until(site, 902, ['rolled-back']);
    await janitors();
    expect(vendor.of('leaving-late').slice(before)).toEqual([
      { realm: 'us', path: '/uninstalled' },
    ]);
    const [delivered] = deliveries('leaving-late');
    expect(delivered && (await verified(delivered))).toMatchObject({ kind: 'delivery' });
    await janitors();
    expect(deliveries('leaving-late')).toHaveLength(1);
  });

  test('a commit that is taken back in its middle leaves it to the source, which had kept it', async () => {
    const site = await world.installed('returning');
    await world.fill('returning', 'us', 8);
    await world.ready(site, 907);
    expect((await world.atlassian.install(site)).status).toBe(204);
    const { promise, resolve: goOn } = Promise.withResolvers<void>();
    writesInUs = promise;
    expect((await world.hook(site, 'commit', 907)).status).toBe(200);
    expect(await world.record('returning', 'de')).toMatchObject({ state: 'active' });
    await janitors();
    expect(deliveries('returning').map(({ realm }) => realm)).toEqual(['de']);
    expect(await keptIn('us', 'returning')).toContain(site.sharedSecret);
    expect((await world.hook(site, 'rollback', 907)).status).toBe(200);
    writesInUs = undefined;
    goOn();
    await world.until(site, 907, ['rolled-back']);
    await janitors();
    expect(deliveries('returning').map(({ realm }) => realm)).toEqual(['de', 'us']);
    expect(await world.record('returning', 'us')).toMatchObject({ state: 'active' });
    await janitors();
    expect(deliveries('returning')).toHaveLength(2);
    expect(await keptIn('us', 'returning')).toBe('[]');
  });

  test('what is newer, and was forwarded directly, supersedes what was kept', async () => {
    const site = await world.installed('overtaken');
    await world.ready(site, 904);
    expect((await world.atlassian.install(site)).status).toBe(204);
    await world.hook(site, 'rollback', 904);
    await world.until(site, 904, ['rolled-back']);
    const before = vendor.of('overtaken').length;
    expect((await world.atlassian.install(site)).status).toBe(204);
    expect(vendor.of('overtaken')).toHaveLength(before + 1);
    await janitors();
    expect(deliveries('overtaken')).toEqual([]);
  });

  test('an event whose delivery is answered by nothing is delivered again, which is harmless', async () => {
    const site = await world.installed('unheard');
    await world.ready(site, 905);
    expect((await world.atlassian.install(site)).status).toBe(204);
    await world.hook(site, 'rollback', 905);
    await world.until(site, 905, ['rolled-back']);
    vendor.isDeaf = true;
    await janitors();
    vendor.isDeaf = false;
    await janitors();
    const [first, second] = deliveries('unheard');
    expect(second?.body).toBe(first?.body);
    expect(second?.realm).toBe('us');
    await janitors();
    expect(deliveries('unheard')).toHaveLength(2);
  });

  test('two janitors at once deliver it once', async () => {
    const site = await world.installed('twice');
    await world.ready(site, 906);
    expect((await world.atlassian.install(site)).status).toBe(204);
    await world.hook(site, 'rollback', 906);
    await world.until(site, 906, ['rolled-back']);
    await Promise.all([janitor('us'), janitor('us')]);
    expect(deliveries('twice')).toHaveLength(1);
  });
});

test('events are forwarded, kept and delivered with no more than the policies allow', () => {
  const app = { ...residency.app, installedForwardUrl: (realm: string) => `https://${realm}.app` };
  const templates = templatesOf({ ...residency, app }, { stage: 'local' });
  const refused = recorder.calls().filter(({ realm, entry, action, resource }) => {
    const template = templates.find((candidate) => candidate.realm === realm);
    return !template || !isAllowed(template, entry, action, resource);
  });
  const asked = recorder.calls().map(({ entry, resource }) => `${entry} ${resource}`);
  expect(asked.join()).toMatch(/tasks\/janitor [^,]*us-tenants\/index\/retired/);
  expect(refused).toEqual([]);
});

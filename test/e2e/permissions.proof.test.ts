/**
 * Least privilege, checked in both directions: every SDK call that functions make in a local run,
 * unusual paths included, is allowed by the synthesised policy of that function; and every action
 * that a policy allows was used.
 */
import { randomUUID } from 'node:crypto';
import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DynamoDbCall, InjectedFault } from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import type { Site } from '../../lib/local/simulated-atlassian.ts';
import { tenantOf } from '../../lib/local/story/site-values.ts';
import { residency } from '../../residency.config.ts';
import { allowedCalls, isAllowed } from '../support/policies.ts';
import { callRecorder } from '../support/recorded-calls.ts';
import { s3Needs } from '../support/s3-actions.ts';
import { templatesOf } from '../support/templates.ts';
import { eventually, facts, startWorld, WITH_DOCUMENTS, type World } from '../support/world.ts';

const recorder = callRecorder();
const faults = new Set<(call: DynamoDbCall) => InjectedFault | undefined>();
let world: World;

beforeAll(async () => {
  world = await startWorld({
    residency: WITH_DOCUMENTS,
    env: { DRAIN_SECONDS: '2', COMMIT_GRACE_SECONDS: '2', MAX_OVERLAPPING_MIGRATIONS: '100' },
    onCall: recorder.onCall,
    dynamoDb: { inject: (call) => [...faults].map((fault) => fault(call)).find(Boolean) },
  });
  // Far more than anything here needs. But every turn then reads the other ranges.
  const settings = { concurrency: 16, rateLimit: 1_000_000 };
  for (const realm of ['us', 'de'])
    await world.host.invoke(realm, 'tasks/operate', {
      verb: 'set',
      ledger: realm,
      actor: 'ada',
      settings,
    });
});
afterAll(() => world[Symbol.asyncDispose]());

describe.concurrent('functions ask AWS', () => {
  test('on an everyday move, misdirected hooks included', async () => {
    const site = await world.installed('everyday');
    await world.fill('everyday', 'us');
    await world.atlassian.request(site, 'PUT', '/templates/one', { title: 'x' });
    await world.atlassian.request(site, 'GET', '/templates/one');
    await world.atlassian.request(site, 'DELETE', '/templates/one');
    await exported(site);
    await world.scheduled(site, 1);
    await world.scheduled(site, 2);
    expect((await world.hook(site, 'rollback', 2)).status).toBe(200);
    await world.ready(site, 3);
    await world.atlassian.install(site);
    await misdirected(site, 3, ['schedule', 'start', 'status']);
    await world.hook(site, 'status', undefined);
    await misdirected(site, 3, ['commit']);
    await world.until(site, 3, ['committed']);
    await world.hook(site, 'rollback', undefined, {}, 'us');
    await world.until(site, 3, ['rolled-back']);
  });
  test('for a start that never came back', async () => {
    const site = await world.installed('forgotten');
    await world.fill('forgotten', 'us');
    await world.scheduled(site, 1);
    await withFault(refusing('PutItem', 'us-tenants', 'forgotten'), () =>
      world.hook(site, 'start', 1, facts('DE')),
    );
    await world.host.invoke('us', 'tasks/janitor', {});
    await world.until(site, 1, ['ready-to-commit']);
    await world.hook(site, 'commit', undefined);
    await misdirected(site, 1, ['rollback']);
    await world.until(site, 1, ['rolled-back']);
  });
  test('for hooks at the stub of a tenant whose next move is elsewhere', async () => {
    const site = await world.installed('moves-on');
    await world.moved(site, 1, 'DE');
    await world.scheduled(site, 2, 'EU');
    expect((await world.hook(site, 'schedule', 2, facts('EU'), 'us')).status).toBe(200);
    expect((await world.hook(site, 'status', 2, {}, 'us')).body).toEqual({ status: 'scheduled' });
    expect((await world.hook(site, 'start', 2, facts('EU'), 'us')).status).toBe(409);
    const undone = await world.hook(site, 'rollback', 2, {}, 'us');
    expect(undone.body).toEqual({ status: 'rolled-back' });
    expect((await world.migration('de', 'moves-on', 2))?.status).toBe('rolled-back');
    expect((await world.hook(site, 'rollback', 3, {}, 'us')).status).toBe(200);
    expect((await world.migration('de', 'moves-on', 3))?.status).toBe('rolled-back');
  });
  test('for a copy whose executions die', async () => {
    const site = await world.installed('dies');
    await world.fill('dies', 'us');
    await world.scheduled(site, 1);
    await world.hook(site, 'start', 1, facts('DE'));
    for (const _ of [1, 2, 3]) await stopped('dies', 1);
    await world.until(site, 1, ['failed']);
  });
  test('for a commit whose execution dies', async () => {
    const site = await world.installed('lingers');
    await world.fill('lingers', 'us');
    await world.ready(site, 1);
    await whileHeld('lingers', async () => {
      await world.hook(site, 'commit', 1);
      await world.host.invoke('us', 'tasks/janitor', {});
      await stopped('lingers', 1);
      await runBeside('lingers', 1, 'pass-point-of-no-return');
      await runBeside('lingers', 1, 'finish-commit');
    });
    await world.until(site, 1, ['committed']);
  });
  test('for phases that need another attempt', async () => {
    const site = await world.installed('attempts');
    await world.fill('attempts', 'us');
    await world.scheduled(site, 1);
    await world.hook(site, 'start', 1, facts('DE'));
    await entered('de', 'attempts', 'Drain the source');
    await whileHeld('attempts', async () => {
      await misdirected(site, 1, ['start']);
      await runBeside('attempts', 1, 'finish-copy');
    });
    await world.until(site, 1, ['ready-to-commit']);
    await whileHeld('attempts', async () => {
      await world.hook(site, 'commit', 1);
      await world.hook(site, 'rollback', 1);
      await entered('us', 'attempts', 'Drain the target');
      await runBesideOverlongLease('attempts', 1, 'begin-restore', 'de');
      await runBeside('attempts', 1, 'finish-restore');
    });
    await entered('de', 'attempts', 'Drain before releasing');
    await whileHeld('attempts', async () => {
      await runBesideOverlongLease('attempts', 1, 'begin-rollback', 'de');
      await runBeside('attempts', 1, 'finish-rollback');
    });
    await world.until(site, 1, ['rolled-back']);
  });
  test('for a target that had served after all', async () => {
    const site = await world.installed('served');
    await world.fill('served', 'us');
    await world.ready(site, 1);
    await world.hook(site, 'rollback', 1);
    await entered('de', 'served', 'Drain before releasing');
    await tamper('us', 'served', 'SET #state = :state, movedTo = :de, revision = revision + :one', {
      ':state': 'moved',
      ':de': 'de',
      ':one': 1,
    });
    await tamper(
      'de',
      'served',
      'SET wasOpen = :true, revision = revision + :one',
      { ':true': true, ':one': 1 },
      false,
    );
    await runBeside('served', 1, 'begin-rollback');
    await world.until(site, 1, ['rolled-back']);
  });
  test('for a committed migration whose tenant has moved on', async () => {
    const site = await world.installed('onwards');
    await world.ready(site, 1);
    await world.hook(site, 'commit', 1);
    await world.until(site, 1, ['committed']);
    await withFault(refusing('Query', 'de-migrations', 'onwards'), async () => {
      await world.hook(site, 'rollback', 1);
      await tamper(
        'de',
        'onwards',
        'SET #state = :state, migration = :other, revision = revision + :one',
        { ':state': 'frozen', ':other': '99', ':one': 1 },
      );
    });
    await eventually(
      async () => (await world.migration('us', 'onwards', 1))?.status === 'committed',
    );
  });
  test('for a target with an earlier, retired residency', async () => {
    const site = await world.installed('retired', 'de');
    await world.fill('retired', 'de');
    await world.atlassian.uninstall(site);
    site.home = realmUrl('us');
    await world.atlassian.install(site);
    await world.fill('retired', 'us');
    await world.ready(site, 1);
    await world.atlassian.uninstall({ ...site, home: realmUrl('de') });
    await world.until(site, 1, ['rolled-back']);
  });
  test('for a rollback where another tenant of the same site stays', async () => {
    const site = await world.installed('shares');
    const neighbour = { ...world.atlassian.site('stays', realmUrl('de')), cloudId: site.cloudId };
    expect((await world.atlassian.install(neighbour)).status).toBe(204);
    await world.ready(site, 1);
    await world.hook(site, 'rollback', 1);
    await world.until(site, 1, ['rolled-back']);
  });
  test('for tenants that are copied ahead of their windows', async () => {
    const ahead = (tenant: string, id: number) =>
      world.host.invoke('us', 'tasks/operate', {
        verb: 'ahead',
        ledger: 'us',
        tenant,
        id: String(id),
        actor: 'ada',
      });
    const ended = async (tenant: string, how: 'finishedAt' | 'stopped') =>
      eventually(async () => (await world.migration('us', tenant, 1))?.ahead?.[how] !== undefined);
    // The target still has the data of an earlier residency, which is cleared first.
    const site = await world.installed('ahead', 'de');
    await world.fill('ahead', 'de');
    await world.atlassian.uninstall(site);
    site.home = realmUrl('us');
    await world.atlassian.install(site);
    await world.fill('ahead', 'us');
    await world.scheduled(site, 1);
    expect(await ahead('ahead', 1)).toMatchObject({ outcome: 'begun' });
    await entered('de', 'ahead', 'Clear the target, ahead');
    await whileHeld('ahead', () => runBeside('ahead', 1, 'finish-ahead'));
    await ended('ahead', 'finishedAt');
    expect((await world.hook(site, 'rollback', 1)).body).toEqual({ status: 'rolling-back' });
    await world.until(site, 1, ['rolled-back']);
    // The target has never had a record of this one.
    const fresh = await world.installed('ahead-fresh');
    await world.scheduled(fresh, 1);
    await ahead('ahead-fresh', 1);
    await ended('ahead-fresh', 'finishedAt');
    // The target is another tenant's.
    const taken = await world.installed('ahead-taken');
    await world.scheduled(taken, 1);
    await world.documents('de').send(
      new PutCommand({
        TableName: 'residency-local-de-tenants',
        Item: {
          tenant: 'ahead-taken',
          revision: 1,
          sharedSecret: 's',
          installation: '{}',
          state: 'active',
          credentialsIat: 1,
        },
      }),
    );
    await ahead('ahead-taken', 1);
    await ended('ahead-taken', 'stopped');
  });
  test('for a copy that another writer changes', async () => {
    const site = await world.installed('written-into');
    await world.fill('written-into', 'us');
    await world.scheduled(site, 1);
    await world.hook(site, 'start', 1, facts('DE'));
    await entered('de', 'written-into', 'Drain the source');
    await world.put('de', 'templates', { tenant: 'written-into', id: 'a stranger' });
    await world.until(site, 1, ['ready-to-commit']);
  });
  test('for a copy that cannot be right', async () => {
    const site = await world.installed('differs');
    await world.put('de', 'templates', { tenant: 'differs', id: 'a stranger' });
    await world.scheduled(site, 1);
    await world.hook(site, 'start', 1, facts('DE'));
    await world.until(site, 1, ['failed']);
  });
  test('for a rehearsal', async () => {
    await world.installed('rehearsed');
    await world.fill('rehearsed', 'us');
    const input = { tenant: 'rehearsed', source: 'us', items: 40 };
    expect(await world.host.invoke('de', 'tasks/rehearse', input)).toMatchObject({
      verified: true,
    });
  });
  test('for an uninstallation in the middle', async () => {
    const site = await world.installed('leaves');
    await world.ready(site, 1);
    await world.atlassian.install({ ...site, home: realmUrl('de') });
    await world.atlassian.uninstall(site);
    await eventually(
      async () => (await world.migration('us', 'leaves', 1))?.status === 'rolled-back',
    );
  });
  test('for a tenant that is counted before its move', async () => {
    const site = await world.installed('counted');
    await world.fill('counted', 'us');
    await world.scheduled(site, 1);
    await world.host.invoke('us', 'tasks/measure', {});
    expect((await world.migration('us', 'counted', 1))?.estimate?.items).toBe(80);
    await world.hook(site, 'start', 1, facts('DE'));
    await world.host.invoke('us', 'tasks/janitor', {});
    await world.until(site, 1, ['ready-to-commit']);
  });
  test('for a tenant that is counted again before it is refused for its size', async () => {
    const site = await world.installed('recounted');
    await world.fill('recounted', 'us');
    await world.scheduled(site, 1);
    await world.host.invoke('us', 'tasks/measure', {});
    await world.hook(site, 'rollback', 1);
    const window = (seconds: number) => ({
      location: 'DE',
      startTime: new Date(Date.now() - 60_000).toISOString(),
      endTime: new Date(Date.now() + seconds * 1_000).toISOString(),
    });
    const refused = await world.hook(site, 'schedule', 2, window(2));
    expect(refused.body).toMatchObject({ message: expect.stringContaining('80 items') });
    // Long enough when it is scheduled, also on a busy machine, and too short when it starts: drain
    // and copy take three seconds and more.
    let short = window(8);
    for (const seconds of [8, 16, 32]) {
      short = window(seconds);
      if ((await world.hook(site, 'schedule', 3, short)).status === 200) break;
    }
    await eventually(() => Date.now() > Date.parse(short.endTime) - 4_000);
    const late = await world.hook(site, 'start', 3, short);
    expect(late.body).toMatchObject({ message: expect.stringContaining('80 items') });
  });
  test('for a tenant that came by a move, and was uninstalled long ago', async () => {
    const site = await world.installed('longago');
    await world.fill('longago', 'us');
    await world.moved(site, 1, 'DE');
    await world.atlassian.uninstall(site);
    await tamper(
      'de',
      'longago',
      'SET purgeDueAt = :then, revision = revision + :one',
      { ':then': 1, ':one': 1 },
      false,
    );
    // As if a crash had prevented the receipt: the source's ledger has the status.
    await world.documents('de').send(
      new DeleteCommand({
        TableName: 'residency-local-de-migrations',
        Key: { tenant: 'longago', id: 'receipt#1' },
      }),
    );
    await world.host.invoke('de', 'tasks/purge-retired', {});
    expect(await world.record('longago', 'de')).toBeUndefined();
    expect(await world.countAll('longago', 'de')).toBe(0);
  });
  test('for operators', async () => {
    const site = await world.installed('operated');
    await world.fill('operated', 'us');
    const ask = (verb: string, rest: object = {}) =>
      world.host.invoke('us', 'tasks/operate', {
        verb,
        ledger: 'us',
        tenant: 'operated',
        actor: 'ada',
        ...rest,
      });
    const retryWhenDead = async (id: number) => {
      const { realm, input } = await inputOf('operated', id);
      const run = world.host.executions(realm).find((one) => one.input === JSON.stringify(input));
      await world.stopExecution(run?.arn ?? '');
      expect(await ask('retry', { id: String(id) })).toMatchObject({ status: expect.any(String) });
    };
    expect(await ask('set', { settings: { concurrency: 16 } })).toMatchObject({ outcome: 'set' });
    await world.scheduled(site, 1);
    expect(await ask('cancel', { id: '1' })).toMatchObject({ outcome: 'cancelled' });
    await world.scheduled(site, 2);
    await world.hook(site, 'start', 2, facts('DE'));
    await retryWhenDead(2);
    await world.until(site, 2, ['ready-to-commit']);
    await world.hook(site, 'commit', 2);
    await retryWhenDead(2);
    await world.until(site, 2, ['committed']);
  });
  test('for operators who import tenants, and retire those that are gone', async () => {
    const ask = (realm: string, operation: object) =>
      world.host.invoke(realm, 'tasks/tenants', { realm, actor: 'ada', ...operation });
    const imported = (clientKey: string) => {
      const installation = { clientKey, cloudId: randomUUID() };
      const rows = [{ installation, sharedSecret: 's', storedAt: 0 }];
      return ask('us', { verb: 'import', apply: true, rows });
    };
    expect(await imported('imported')).toMatchObject({ rows: [{ written: true }] });
    // Installed in another realm while it is being opened here: the opening is taken back.
    const other = (tenant: string) =>
      world.documents('de').send(
        new PutCommand({
          TableName: 'residency-local-de-tenants',
          Item: { tenant, revision: 1, state: 'active', credentialsIat: 1, installation: '{}' },
        }),
      );
    let takenBack = false;
    for (let time = 0; !takenBack && time < 20; time += 1) {
      const tenant = `import-${time}`;
      let isOpening = false;
      const answer = withFault(
        ({ operation, input }) => {
          const text = JSON.stringify(input);
          if (!text.includes(tenant)) return undefined;
          isOpening ||= operation === 'PutItem' && text.includes('"opening"');
          return isOpening && operation === 'GetItem' ? { delayMs: 300 } : undefined;
        },
        () => imported(tenant),
      );
      await eventually(() => isOpening);
      await other(tenant);
      takenBack = JSON.stringify(await answer).includes('is being installed in realm de');
      if (takenBack) expect(await world.record(tenant, 'us')).toBeUndefined();
    }
    expect(takenBack).toBe(true);

    for (const [realm, tenant] of [
      ['us', 'retires'],
      ['de', 'retires-there'],
    ] as const) {
      const site = await world.installed(tenant);
      await world.fill(tenant, 'us');
      await world.ready(site, 1);
      const iat = Math.floor(Date.now() / 1000);
      await ask(realm, { verb: 'retire', tenant, iat });
      await world.until(site, 1, ['rolled-back']);
      await eventually(async () => (await world.record(tenant, 'us'))?.['state'] === 'retired');
    }
  });
  test('for an operator who adopts an installation that Forge had announced as a tenant of its own', async () => {
    await world.installed('adopts');
    await tamper(
      'us',
      'adopts',
      'SET installation = :none REMOVE cloudId',
      { ':none': '{}' },
      false,
    );
    const site = world.atlassian.site('adopted', realmUrl('us'), 'forge');
    expect((await world.atlassian.install(site)).status).toBe(204);
    const asked = {
      verb: 'adopt',
      ledger: 'us',
      tenant: 'adopts',
      installation: site.installations.at(-1),
      cloudId: site.cloudId,
      actor: 'ada',
    };
    expect(await world.host.invoke('us', 'tasks/operate', asked)).toMatchObject({
      outcome: 'adopted',
    });
    expect(await world.record(tenantOf(site), 'us')).toMatchObject({ state: 'retired' });
  });
  test('for installations that find the tenant elsewhere', async () => {
    const other = (realm: string, tenant: string, item: object) =>
      world.documents(realm).send(
        new PutCommand({
          TableName: `residency-local-${realm}-tenants`,
          Item: { tenant, revision: 1, sharedSecret: 's', installation: '{}', ...item },
        }),
      );
    await other('de', 'opens', { state: 'opening', openingIat: 1, credentialsIat: 1 });
    await world.installed('opens');
    expect(await world.record('opens', 'de')).toBeUndefined();
    await other('de', 'newer', {
      state: 'active',
      credentialsIat: Math.floor(Date.now() / 1000) + 1_000,
    });
    await world.installed('newer');
    expect(await world.record('newer', 'us')).toBeUndefined();
    await other('de', 'older', { state: 'active', credentialsIat: 1 });
    await world.installed('older');
    expect(await world.record('older', 'de')).toMatchObject({ state: 'retired', keep: true });
  });
});

// In a test of its own: a janitor that another test calls would drive this move before its window
// is over.
describe('the janitor asks AWS', () => {
  test('for a window that is over', async () => {
    const site = await world.installed('window');
    const window = {
      location: 'DE',
      startTime: new Date(Date.now() - 60_000).toISOString(),
      endTime: new Date(Date.now() + 8_000).toISOString(),
    };
    await world.hook(site, 'schedule', 1, window);
    await withFault(refusing('PutItem', 'us-tenants', 'window'), () =>
      world.hook(site, 'start', 1, window),
    );
    await eventually(() => Date.now() > Date.parse(window.endTime));
    await world.host.invoke('us', 'tasks/janitor', {});
    await world.until(site, 1, ['failed']);
  });
});

describe.concurrent('the Forge door asks AWS', () => {
  /** With an installation that is known beforehand, and so our id. */
  function forgeSite(name: string, realm: string) {
    const site = world.atlassian.site(name, realmUrl(realm), 'forge');
    site.installations.push(`ari:cloud:ecosystem::installation/${randomUUID()}`);
    site.isInstalled = true;
    return site;
  }
  async function forgeInstalled(name: string, realm = 'us') {
    const site = forgeSite(name, realm);
    expect((await world.atlassian.install(site)).status).toBe(204);
    return site;
  }
  test('for a tenant that is asked everything, and one that was never announced', async () => {
    const site = await forgeInstalled('forge-all');
    await world.atlassian.request(site, 'PUT', '/templates/one', { title: 'x' });
    await world.atlassian.request(site, 'GET', '/templates/one');
    await world.atlassian.request(site, 'DELETE', '/templates/one');
    await exported(site);
    await world.ready(site, 1);
    const upgraded = await world.installed('forge-later');
    await world.atlassian.upgrade(upgraded);
    await world.ready(upgraded, 1);
  });
  test('for an uninstallation in the middle', async () => {
    const site = await forgeInstalled('forge-leaves');
    await world.ready(site, 1);
    await world.atlassian.install({ ...site, home: realmUrl('de') });
    await world.atlassian.uninstall(site);
    const tenant = tenantOf(site);
    await eventually(
      async () => (await world.migration('us', tenant, 1))?.status === 'rolled-back',
    );
  });
  test('for an uninstallation that arrives at the target', async () => {
    const site = await forgeInstalled('forge-turns');
    await world.ready(site, 1);
    await world.atlassian.uninstall({ ...site, home: realmUrl('de') });
    await world.until(site, 1, ['rolled-back']);
  });
  test('for installations that find the tenant elsewhere', async () => {
    const other = (tenant: string, item: object) =>
      world.documents('de').send(
        new PutCommand({
          TableName: 'residency-local-de-tenants',
          Item: { tenant, revision: 1, installation: '{}', ...item },
        }),
      );
    const opens = forgeSite('forge-opens', 'us');
    await other(tenantOf(opens), { state: 'opening', openingIat: 1, credentialsIat: 0 });
    expect((await world.atlassian.install(opens)).status).toBe(204);
    expect(await world.record(tenantOf(opens), 'de')).toBeUndefined();
    const newer = forgeSite('forge-newer', 'us');
    const later = Math.floor(Date.now() / 1000) + 1_000;
    await other(tenantOf(newer), { state: 'active', credentialsIat: later });
    await world.atlassian.install(newer);
    expect(await world.record(tenantOf(newer), 'us')).toBeUndefined();
  });
});

describe('the policies', () => {
  const templates = templatesOf(residency, { stage: 'local' });

  test('allow every call that was made', () => {
    expect(recorder.calls().length).toBeGreaterThan(200);
    const refused = needed().filter(({ realm, entry, action, resource }) => {
      const template = templates.find((candidate) => candidate.realm === realm);
      return !template || !isAllowed(template, entry, action, resource);
    });
    expect(refused).toEqual([]);
  });

  test('allow no action that was never used', () => {
    const [template] = templates;
    if (!template) throw new Error('no template');
    const used = new Set(needed().map((call) => kindOf(call, call.realm)));
    const unused = allowedCalls(template)
      // Calls that Lambda itself makes with a function's role: it writes the log, and keeps failed
      // events.
      .filter(({ action }) => !action.startsWith('logs:') && action !== 'sqs:SendMessage')
      // How tasks use buckets is in `objects.test.ts`, whose tenants have objects.
      .filter(({ entry, action }) => !action.startsWith('s3:') || entry.startsWith('sample-app/'))
      .map((call) => kindOf(call, template.realm))
      .filter((kind) => !used.has(kind));
    expect([...new Set(unused)]).toEqual([]);
  });
});

/** Of S3, what IAM is asked for. */
const needed = () =>
  recorder
    .calls()
    .flatMap((call) =>
      call.action.startsWith('s3:')
        ? s3Needs(call, call.resource.includes(`-${call.realm}-documents-`))
        : [call],
    );

/** A function, an action and a store: of its own realm or of another. */
function kindOf(
  { entry, action, resource }: { entry: string; action: string; resource: string },
  realm: string,
): string {
  const name = /[:/]residency-local-(.*)$/.exec(resource)?.[1] ?? resource;
  const [where, ...store] = name.split('-');
  const isPart = residency.parts.some((part) => part.name === store.join('-'));
  return `${entry} ${action} ${where === realm ? 'own' : 'others'} ${isPart ? 'parts' : store.join('-')}`;
}

async function exported(site: Site): Promise<void> {
  const { atlassian } = world;
  await atlassian.request(site, 'PUT', '/templates/two', { content: 'x' });
  const asked = { id: 'one', template: 'two' };
  expect((await atlassian.request(site, 'POST', '/exports', asked)).status).toBe(201);
  expect((await atlassian.request(site, 'GET', '/exports/one')).status).toBe(200);
}

const realmUrl = (realm: string) => world.host.urls[realm] ?? '';

async function withFault<T>(
  fault: (call: DynamoDbCall) => InjectedFault | undefined,
  run: () => Promise<T>,
): Promise<T> {
  faults.add(fault);
  try {
    return await run();
  } finally {
    faults.delete(fault);
  }
}

/**
 * Keeps the workers of this tenant from reading its parts, so that a phase is not over before the
 * test has looked at it.
 */
const whileHeld = <T>(tenant: string, run: () => Promise<T>): Promise<T> =>
  withFault((call) => {
    const isOfTenant = JSON.stringify(call.input).includes(tenant);
    const isPart = !/-(tenants|migrations)"/.test(JSON.stringify(call.input));
    return call.operation === 'Query' && isPart && isOfTenant
      ? { error: 'ProvisionedThroughputExceededException' }
      : undefined;
  }, run);

const refusing = (operation: string, fragment: string, tenant: string) => (call: DynamoDbCall) => {
  const input = JSON.stringify(call.input);
  return call.operation === operation && input.includes(fragment) && input.includes(tenant)
    ? { error: 'AccessDeniedException' }
    : undefined;
};

/** The input of the present phase, as the ledger has it. */
async function inputOf(tenant: string, id: number): Promise<{ realm: string; input: object }> {
  const record = await world.migration('us', tenant, id);
  if (!record?.phase) throw new Error(`migration ${id} has no phase`);
  const realm =
    record.phase === 'commit' || record.phase === 'restore' ? record.source : record.target;
  return {
    realm,
    input: {
      ledger: 'us',
      tenant,
      migration: String(id),
      phase: record.phase,
      attempt: record.attempt,
    },
  };
}

/**
 * Runs a task beside its execution, as a redelivery would. That it may be superseded does not
 * matter here.
 */
async function runBeside(tenant: string, id: number, task: string): Promise<void> {
  const { realm, input } = await inputOf(tenant, id);
  await world.host.invoke(realm, `tasks/${task}`, input).catch(() => undefined);
}

/** As after a clock was set back while a worker held a lease. */
async function runBesideOverlongLease(tenant: string, id: number, task: string, at: string) {
  const table = { TableName: `residency-local-${at}-migrations` };
  const key = { tenant, id: `range#${id}#beside` };
  const record = { range: 'beside', work: 'copy', asOf: 0, lastingUntil: 0, tries: 0, done: true };
  const lease = { owner: 'somebody who died', until: Date.now() + 1_800_000 };
  const documents = world.documents(at);
  await documents.send(
    new PutCommand({ ...table, Item: { ...key, ...record, lease, revision: 1 } }),
  );
  await runBeside(tenant, id, task);
  const { Item: left } = await documents.send(
    new GetCommand({ ...table, Key: key, ConsistentRead: true }),
  );
  await documents.send(new DeleteCommand({ ...table, Key: key }));
  expect(left?.['lease'].until).toBeLessThan(Date.now() + 600_000);
}

async function entered(realm: string, tenant: string, state: string): Promise<void> {
  await eventually(() =>
    world.host
      .executions(realm)
      .some(
        ({ input, history }) =>
          input.includes(`"${tenant}"`) && history.some((event) => event.state === state),
      ),
  );
}

async function stopped(tenant: string, id: number): Promise<void> {
  const { realm, input } = await inputOf(tenant, id);
  const { attempt } = Object(input);
  const isIt = (execution: { input: string }) => execution.input === JSON.stringify(input);
  await eventually(() => world.host.executions(realm).some(isIt));
  await world.stopExecution(world.host.executions(realm).find(isIt)?.arn ?? '');
  await eventually(async () => {
    const now = await world.migration('us', tenant, id);
    return now?.attempt !== attempt || now?.status === 'failed';
  });
}

const misdirected = async (
  site: Site,
  id: number | undefined,
  hooks: readonly ('schedule' | 'start' | 'status' | 'commit' | 'rollback')[],
) => {
  for (const hook of hooks) {
    const reply = await world.hook(
      site,
      hook,
      id,
      hook === 'schedule' || hook === 'start' ? facts('DE') : {},
      'de',
    );
    expect(reply.status, `${hook} ${JSON.stringify(reply.body)}`).toBe(200);
  }
};

async function tamper(
  realm: string,
  tenant: string,
  update: string,
  values: Record<string, unknown>,
  hasState = true,
): Promise<void> {
  await world.documents(realm).send(
    new UpdateCommand({
      TableName: `residency-local-${realm}-tenants`,
      Key: { tenant },
      UpdateExpression: update,
      ExpressionAttributeValues: values,
      ...(hasState ? { ExpressionAttributeNames: { '#state': 'state' } } : {}),
    }),
  );
}

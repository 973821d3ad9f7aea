/**
 * A tenant among look-alikes, in every layout of keys that can be declared: it is counted,
 * rehearsed, audited, moved, rolled back before and after the commit, and purged. Nothing of its
 * neighbours, and no key that only looks like its own, is ever touched.
 */

import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bucketsOf, tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import type { Site } from '../../lib/local/simulated-atlassian.ts';
import { residency as configured } from '../../residency.config.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import {
  everythingIn,
  itemsOf,
  itemsUnder,
  type Key,
  LAID_OUT,
  type StoredItem,
  stored,
  textsOf,
  type Who,
} from '../support/layouts.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { isAllowed } from '../support/policies.ts';
import { callRecorder } from '../support/recorded-calls.ts';
import { templatesOf } from '../support/templates.ts';
import { eventually, facts, startWorld, type World } from '../support/world.ts';

const NEIGHBOURS = ['acme-1', 'acme#03', 'acme#', 'TENANT#acme', 'acme#CONFIG#'];

const recorder = callRecorder();
let world: World;
let residency: OperatorCommand;
let port: number;
let acme: Site;
let who: Who;
/** Everything in the source that is not acme's, as text. */
let others: readonly string[];

const part = (name: string) => {
  const found = tablesOf(LAID_OUT.parts).find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no part ${name}`);
  return found;
};
const client = (realm: string) => world.documents(realm);
const put = (realm: string, items: ReadonlyMap<string, readonly StoredItem[]>) =>
  stored(client(realm), realm, items);
const everything = (realm: string) => everythingIn(client(realm), realm);
const own = () => textsOf('us', itemsOf(who));
const moving = (texts: readonly string[]) => texts.filter((text) => !text.includes('THUMBS#'));

const whoIs = (site: Site, tenantKey: string): Who => ({
  tenant: site.clientKey,
  cloudId: site.cloudId,
  installations: [...site.installations],
  own: tenantKey,
});

/** The app's own id of a tenant comes by an import. */
async function named(site: Site, tenantKey: string): Promise<unknown> {
  const { clientKey, cloudId, sharedSecret } = site;
  const rows = [{ installation: { clientKey, cloudId }, sharedSecret, storedAt: 0, tenantKey }];
  const asked = { verb: 'import', realm: 'us', apply: true, rows, actor: 'ada' };
  const answer = await world.host.invoke('us', 'tasks/tenants', asked);
  return Object(answer).rows[0];
}

beforeAll(async () => {
  port = await freeTcpPorts();
  world = await startWorld({ port, residency: LAID_OUT, onCall: recorder.onCall });
  residency = operatorCommand(port, LAID_OUT);
  acme = await world.installed('acme');
  for (const [at, neighbour] of NEIGHBOURS.entries()) {
    const site = await world.installed(neighbour);
    expect(await named(site, `1234567${at}`)).toMatchObject({ written: true });
    await put('us', itemsOf(whoIs(site, `1234567${at}`)));
  }
}, 60_000);
afterAll(() => world[Symbol.asyncDispose]());

describe('a tenant whose keys cannot be its own, or are not known,', () => {
  test.each([
    ['ACME', 'another one has one of its keys'],
    ['acme#CONFIG', 'its key TENANT#acme#CONFIG is also that of a tenant whose tenant is acme'],
    ['acme#01', 'the client key is a shard of tenant acme in part exports'],
    ['acme/1', 'its client key has / in it, which ends the tenant in partition keys'],
    ['SETTINGS', ''],
  ])('is refused when it is installed: %s', async (clientKey, says) => {
    const site = world.atlassian.site(clientKey, world.host.urls['us'] ?? '');
    const reply = await world.atlassian.install(site);
    expect([reply.status, JSON.stringify(reply.body)]).toEqual(
      says === '' ? [204, '""'] : [409, expect.stringContaining(says)],
    );
    if (says === '') await world.atlassian.uninstall(site);
  });

  test('cannot be scheduled, and is told what is missing', async () => {
    const reply = await world.hook(acme, 'schedule', 1, facts('DE'));
    expect(reply.status).toBe(400);
    expect(reply.body).toMatchObject({
      errorResponseCode: 'E9999',
      message: expect.stringContaining(
        'its tenant key is not known, and the keys of part "numbered" are made of it',
      ),
    });
  });

  test('is refused the key of another tenant, and one that is no number', async () => {
    const rival = await world.atlassian.site('rival', acme.home);
    await world.atlassian.install(rival);
    expect(await named(rival, '12345670')).toMatchObject({
      outcome: 'conflict',
      says: expect.stringContaining('tenant acme-1 in realm us has the same key 12345670'),
    });
    expect(await named(rival, '0017')).toMatchObject({
      outcome: 'conflict',
      says: expect.stringContaining('its tenant key is no whole number'),
    });
    await world.atlassian.uninstall(rival);
  });
});

/** Each scans the whole table. */
const SCAN = { by: 'scan', largestTableGB: 0.1 } as const;

describe('a tenant among look-alikes', () => {
  beforeAll(async () => {
    await world.atlassian.upgrade(acme, 'announced');
    await world.atlassian.upgrade(acme, 'announced');
    expect(await named(acme, '1234')).toMatchObject({ written: true });
    who = whoIs(acme, '1234');
    await put('us', itemsOf(who));
    // The app's own item; it belongs to no tenant.
    await put(
      'us',
      new Map([
        [
          'listed',
          ['SETTINGS', 'VERSION#7'].flatMap((key) =>
            itemsUnder(part('listed'), key, { owner: 'app' }),
          ),
        ],
      ]),
    );
  });

  test('is found by the operator, who audits, counts and rehearses', async () => {
    const [audit, doctor] = [
      await residency.json('audit', '--all'),
      await residency.json('doctor'),
    ];
    expect(audit.report).toMatchObject({ findings: [] });
    const keys = Object(doctor.report).checks.find(
      ({ realm, check }: Record<string, string>) => realm === 'us' && check === 'keys',
    );
    expect(keys).toMatchObject({ ok: true });
    const own = await residency.json('doctor', '--tenant', 'acme');
    expect(Object(own.report).checks).toContainEqual(
      expect.objectContaining({
        realm: 'us',
        check: 'tenant',
        ok: true,
        says: expect.stringMatching(
          /^\d+ items of acme; none in templates, exports, previews, and/,
        ),
      }),
    );

    const { report } = await residency.json('where', 'acme');
    const here = Object(report).realms.find(({ realm }: Record<string, string>) => realm === 'us');
    const counted = here.parts.map((found: { part: string; items: number }) => [
      found.part,
      found.items,
    ]);
    expect(new Map(counted)).toEqual(
      new Map([
        ['templates', 0],
        ['exports', 0],
        ['previews', 0],
        ...[...itemsOf(who)].map(([name, items]): [string, number] => [name, items.length]),
      ]),
    );

    const before = [await everything('us'), await everything('de')];
    const rehearsed = await residency.json(
      ...['rehearse', 'acme', '--to', 'de', '--sample', '--yes', '--items', '100'],
    );
    expect(rehearsed.report).toMatchObject({
      obstacles: [],
      scans: [
        { part: 'entities', segments: 1, all: 8 },
        { part: 'indexed', segments: 2, all: 7 },
        { part: 'begun', segments: 2, all: 8 },
        { part: 'installed', segments: 1, all: 8 },
        { part: 'counted', segments: 1, all: 8 },
        { part: 'hashed', segments: 2, all: 7 },
      ],
      rehearsal: { verified: true, provenEmpty: true },
    });
    expect([await everything('us'), await everything('de')]).toEqual(before);
  });

  test.each([
    ['single', { key: '{tenant}' }, 'such as TENANT#{tenant}'],
    ['pooled', { key: '{tenant}#{shard}', shards: 16 }, 'such as {tenant}-9'],
    ['listed', { key: 'TENANT#{tenant}' }, 'TENANT#{tenant}#CONFIG'],
    ['forge', { key: '{tenant}' }, 'such as LAST#{tenant}, {tenant}'],
    ['electrodb', { key: '$other#tenantid_{tenant}' }, 'such as $xxx#xxxxxxxx_{tenant}'],
    ['sites', { key: '{cloudId}' }, 'such as SITE#{tenant}'],
    ['preferences', { key: 'TENANT#{tenant}' }, 'made by no declared template'],
    ['addons', { key: 'ADDON#{tenant}' }, 'such as {tenant}'],
    ['entities', { discover: { ...SCAN, attribute: 'tenant' } }, 'made by no declared template'],
    ['begun', { discover: { ...SCAN, prefix: 'T-{tenant}/' } }, 'such as {tenant}/PAGE/9'],
  ])(
    'is not rehearsed in peace where part %s is declared wrongly',
    async (name, declared, shape) => {
      const wrong = {
        ...LAID_OUT,
        parts: tablesOf(LAID_OUT.parts).map((one) =>
          one.name === name ? { ...one, ...declared } : one,
        ),
      };
      const { code, report } = await operatorCommand(port, wrong).json(
        ...['rehearse', 'acme', '--to', 'de'],
      );
      expect(code).toBe(1);
      const { obstacles } = Object(report);
      for (const obstacle of obstacles) expect(obstacle).toMatch(`part ${name} in us: `);
      expect(JSON.stringify(obstacles)).toContain(shape);
    },
  );

  test.each(['numbered', 'bytes'])(
    'cannot be rehearsed where part %s is declared with another type of key',
    async (name) => {
      const parts = tablesOf(LAID_OUT.parts).map((one) =>
        one.name === name ? { ...one, keyType: 'S' as const } : one,
      );
      const wrong = operatorCommand(port, { ...LAID_OUT, parts });
      const { code, stderr } = await wrong('rehearse', 'acme', '--to', 'de');
      expect(code).toBe(1);
      expect(stderr).toContain('other names or types of keys than its part declares');
      const { report } = await wrong.json('doctor');
      expect(JSON.stringify(report)).toContain(`residency-local-us-${name}`);
    },
  );

  test('is examined by doctor, where a part that holds nothing of it is declared wrongly', async () => {
    const parts = tablesOf(LAID_OUT.parts).map((one) =>
      one.name === 'single' ? { ...one, key: '{tenant}' } : one,
    );
    const wrong = operatorCommand(port, { ...LAID_OUT, parts });
    const { code, report } = await wrong.json('doctor', '--tenant', 'acme');
    expect(code).toBe(1);
    const found = Object(report).checks.find(
      (one: Record<string, string>) => one['realm'] === 'us' && one['check'] === 'tenant',
    );
    expect(found).toMatchObject({ ok: false, says: expect.stringContaining('TENANT#{tenant}') });
  });

  test('is rolled back before the commit: nothing is in the target, nothing has changed', async () => {
    // These keys only look like this tenant's, and belong to no tenant.
    const strange: ReadonlyMap<string, readonly Key[]> = new Map<string, readonly Key[]>([
      ['single', ['TENANT#ACME', 'TENANT#acme#CONFIG', 'acme', 'TENANT#acm', 'TENANT#acme ']],
      ['pooled', ['acme', 'acme-0', 'acme-10', 'acme-01']],
      ['electrodb', ['$app#tenantid_Acme', '$app#tenantid_acme2']],
      ['numbered', [12340, 123]],
      ['bytes', [Uint8Array.from(Buffer.from('12345671aaaa', 'base64'))]],
      ['forge', [`X${who.installations[0]}`]],
      ['sites', [`SITE#${acme.cloudId.toUpperCase()}`, acme.cloudId]],
      ['preferences', ['Acme', 'acme/']],
      ['addons', ['Acme', 'acm']],
      ['entities', ['acme', 'PAGE#4 of acme']],
      ['indexed', ['acme', 'NOTE#3 of acme']],
      ['begun', ['acme', 'acmeville/1', 'ACME/1', '/acme/1']],
      ['counted', [1234001000, 1234]],
      ['hashed', [new TextEncoder().encode('acme')]],
      ['pages', ['USERS#acme']],
    ]);
    await put(
      'us',
      new Map(
        [...strange].map(([name, keys]) => [
          name,
          keys.flatMap((key) => itemsUnder(part(name), key, { owner: 'nobody' })),
        ]),
      ),
    );
    const before = await everything('us');
    const mine = new Set(own());
    others = before.filter((text) => !mine.has(text));
    expect(others.length).toBe(before.length - mine.size);

    await world.ready(acme, 1);
    expect(await everything('de')).toEqual(moving(own()));
    expect(await everything('us')).toEqual(before);
    await world.hook(acme, 'rollback', 1);
    await world.until(acme, 1, ['rolled-back']);
    expect(await everything('de')).toEqual([]);
    expect(await everything('us')).toEqual(before);
  });

  test('is moved, and leaves in the source what is not its own', async () => {
    await world.moved(acme, 2, 'DE');
    expect(await everything('us')).toEqual(others);
    expect(await everything('de')).toEqual(moving(own()));
    const receipt = await world.receipt('us', 'acme', 2);
    const counts = [...itemsOf(who)].map(([name, items]) => [name, items.length]);
    expect(receipt?.held).toMatchObject(Object.fromEntries(counts));
    const { report } = await residency.json('audit', '--tenant', 'acme');
    expect(report).toMatchObject({ findings: [] });
    // A write that asks no guard, after the segments of the source were proven empty.
    const stray = { id: 'NOTE#9 of acme', sk: 'late', whose: 'OWNER#acme' };
    await put('us', new Map([['indexed', [stray]]]));
    const late = await residency.json('audit');
    expect(Object(late.report).findings).toContainEqual(
      expect.objectContaining({ realm: 'us', tenant: 'acme', part: 'indexed', items: 1 }),
    );
    await world.remove('us', 'indexed', { id: stray.id, sk: stray.sk });
    const all = await residency.json('audit', '--all');
    const told = Object(all.report).findings.map(
      ({ part: of, tenant, says }: Record<string, string>) => [of, tenant, says],
    );
    expect(told).toContainEqual([
      'single',
      'acme',
      'no declared template makes such a key: a move leaves its items behind',
    ]);
    expect(told).toContainEqual(['numbered', '12340', 'it has items here, and no record']);
    expect(told.filter(([of]: readonly string[]) => of === 'listed')).toEqual([]);
  });

  test('is rolled back after the commit, with what the target has taken on since', async () => {
    await world.atlassian.upgrade(acme, 'announced');
    const known = who;
    who = whoIs(acme, '1234');
    const changed = textsOf('us', itemsOf(who)).length - textsOf('us', itemsOf(known)).length;
    expect(changed).toBe(5);
    await put('de', itemsOf(who));
    const added = itemsUnder(part('single'), 'TENANT#acme', { owner: 'acme', isNew: true });
    await put('de', new Map([['single', added]]));
    const there = await everything('de');
    acme.home = world.host.urls['us'] ?? '';
    await world.hook(acme, 'rollback', 2);
    await world.until(acme, 2, ['rolled-back']);
    expect(await everything('de')).toEqual([]);
    expect(await everything('us')).toEqual([...others, ...moving(there)].sort());
  });

  test('is purged in its realm when it was uninstalled long ago', async () => {
    await world.atlassian.uninstall(acme);
    await eventually(async () => (await world.record('acme', 'us'))?.['state'] === 'retired');
    await client('us').send(
      new UpdateCommand({
        TableName: 'residency-local-us-tenants',
        Key: { tenant: 'acme' },
        UpdateExpression: 'SET purgeDueAt = :then, revision = revision + :one',
        ExpressionAttributeValues: { ':then': 1, ':one': 1 },
      }),
    );
    await world.host.invoke('us', 'tasks/purge-retired', {});
    expect(await world.record('acme', 'us')).toBeUndefined();
    expect(await everything('us')).toEqual(others);
  });

  test('is asked about with no more than the policies allow', () => {
    // The sample app's functions have a right on its bucket, which is not looked at here.
    const parts = [...LAID_OUT.parts, ...bucketsOf(configured.parts)];
    const templates = templatesOf({ ...LAID_OUT, parts }, { stage: 'local' });
    const refused = recorder.calls().filter(({ realm, entry, action, resource }) => {
      const template = templates.find((candidate) => candidate.realm === realm);
      return !template || !isAllowed(template, entry, action, resource);
    });
    expect(recorder.calls().length).toBeGreaterThan(100);
    expect(refused).toEqual([]);
  });
});

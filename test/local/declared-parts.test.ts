/**
 * The story and the watch page where a vendor has put its own parts into the sample's place: they
 * fill, move and count what the host declares.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineResidency } from '../../lambdas/domain/residency.ts';
import { writes as writesTo } from '../../lib/local/page/counts.ts';
import { type Page, startPage } from '../../lib/local/page/server.ts';
import { teller } from '../../lib/local/story/print.ts';
import { tellStory } from '../../lib/local/story/story.ts';
import { residency as configured } from '../../residency.config.ts';
import { startWorld, type World } from '../support/world.ts';

const VENDORS = defineResidency({
  ...configured,
  realms: configured.realms.filter(({ realm }) => ['us', 'de'].includes(realm)),
  parts: [
    {
      kind: 'dynamodb',
      name: 'notes',
      policy: 'move',
      partitionKey: 'pk',
      key: ['TENANT#{tenant}', 'TENANT#{tenant}#CONFIG'],
      sortKey: { name: 'sk', type: 'S' },
    },
    { kind: 'dynamodb', name: 'sites', policy: 'move', partitionKey: 'id', key: '{cloudId}' },
    {
      kind: 'dynamodb',
      name: 'pages',
      policy: 'move',
      partitionKey: 'id',
      discover: { by: 'scan', attribute: 'tenantId', largestTableGB: 1 },
    },
    {
      kind: 'dynamodb',
      name: 'numbers',
      policy: 'drop',
      partitionKey: 'id',
      key: '{tenantKey}',
      keyType: 'N',
      sortKey: { name: 'at', type: 'N' },
    },
    {
      kind: 's3',
      name: 'files',
      policy: 'move',
      prefix: ['files/{tenant}/', 'logos/{cloudId}/'],
      versions: 'current',
    },
  ],
});
const STORY = { from: 'us', to: 'de', items: 80, door: 'connect' } as const;

let world: World;
beforeAll(async () => {
  world = await startWorld({ residency: VENDORS });
});
afterAll(() => world[Symbol.asyncDispose]());

describe('the story without the sample’s parts', () => {
  test.each([
    { rollback: false, ahead: false },
    { rollback: true, ahead: true },
  ])('moves what is declared, and checks it: %j', async (how) => {
    const lines: string[] = [];
    const own = await startWorld({ residency: VENDORS });
    try {
      const options = { ...STORY, ...how };
      const end = await tellStory(
        own.host,
        options,
        teller((line) => lines.push(line)),
      );
      expect(lines.filter((line) => line.includes('✗'))).toEqual([]);
      expect(end).toEqual({ holds: true });
    } finally {
      await own[Symbol.asyncDispose]();
    }
    const told = lines.join('\n');
    expect(told).toContain(
      'The sample app is out: items of notes, sites, pages, numbers, files move',
    );
    expect(told).toMatch(/acme +notes +21/);
    expect(told).toMatch(/acme +sites +1 /);
    expect(told).toMatch(/acme +numbers \(cache\) +20/);
    expect(told).toMatch(/acme +files \(objects\) +20/);
    if (!how.rollback) {
      expect(told).toContain('✓ all 42 items arrived in de unchanged, compared one by one');
      expect(told).toContain('✓ all 20 objects arrived in de, unchanged in bytes, headers');
      // The bucket keeps no versions: none but the current ones, and an upload for each prefix.
      expect(told).toContain('nothing is left of 20 versions, 0 delete markers and 2 open uploads');
      expect(told).toContain('✓ a write during the copy was refused (503)');
      expect(told).toContain('✓ a write after the commit was sent on to the new realm (421)');
      expect(told).toContain('✓ a user saves an item again, in de (200)');
    } else {
      expect(told).toMatch(
        /✓ \d+ items and 20 objects were copied ahead, while us served and de did not/,
      );
      expect(told).toContain('✓ de holds nothing of the tenant');
    }
  });
});

describe('the watch page without the sample’s parts', () => {
  async function onPage(host: World['host'], run: (page: Page) => Promise<void>): Promise<void> {
    const page = await startPage({ host, port: 0, writes: writesTo(false), hearsAll: false });
    try {
      await run(page);
    } finally {
      await page.close();
    }
  }

  async function install({ url }: Page, tenant: string): Promise<[number, string]> {
    const response = await fetch(`${url}/atlassian/install`, {
      method: 'POST',
      headers: { origin: url, 'content-type': 'application/json' },
      body: JSON.stringify({ tenant, realm: 'us', items: 100 }),
    });
    return [response.status, Object(await response.json()).message];
  }

  test('installs a site with items of every declared part', async () => {
    await onPage(world.host, async (page) => {
      expect(await install(page, 'bravo')).toEqual([200, 'bravo is installed in us']);
    });
    const { tenantKey, cloudId } = (await world.record('bravo', 'us')) ?? {};
    expect([tenantKey, cloudId]).toEqual([expect.stringMatching(/^\d{8}$/), expect.anything()]);
    // Of notes and pages, whose keys are made of the client key alone.
    expect(await world.items('bravo', 'us')).toHaveProperty('size', 50);
  });

  test('says why a site has no items whose keys are made of what only an import brings', async () => {
    // The vendor's app is installed, and not adopted: none of our realms has heard of the tenant.
    const { host, atlassian } = world;
    const reply = { status: 204, headers: new Headers(), body: '', ms: 0 };
    const beside = { ...host, atlassian: { ...atlassian, install: async () => reply } };
    await onPage(beside, async (page) => {
      expect(await install(page, 'charlie')).toEqual([
        409,
        'charlie is installed in us, without items: its cloud id is not known, and the keys of part "sites" are made of it',
      ]);
    });
    expect(await world.record('charlie', 'us')).toBeUndefined();
  });
});

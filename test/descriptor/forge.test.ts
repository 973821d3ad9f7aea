/**
 * The manifest: the committed file is the generated one, Atlassian's own validator accepts it, and
 * the routes that it names exist.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessorBuilder, ValidationTypes } from '@forge/manifest';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { connectDescriptor } from '../../descriptor/connect.ts';
import { forgeManifest } from '../../descriptor/forge.ts';
import { described, MANIFESTS, manifestFile } from '../../descriptor/write.ts';
import { defineResidency, type Product } from '../../lambdas/domain/residency.ts';
import { ROUTES } from '../../lib/routes.ts';
import { residency } from '../../residency.config.ts';

const URLS = Object.fromEntries(
  residency.realms.map(({ realm }) => [realm, `https://${realm}.app.example`]),
);
const routes = ROUTES.map(({ method, path, scheme }) => `${method} ${path} ${scheme}`);

/** All findings of Atlassian's validator on a text. */
async function findingsIn(text: string): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'manifest-'));
  const file = join(folder, 'manifest.yml');
  try {
    await writeFile(file, text);
    const found: string[] = [];
    for (const type of [ValidationTypes.FULL, ValidationTypes.FORGE_REMOTE_COMPUTE]) {
      const { success, errors = [] } = await ProcessorBuilder.instance()
        .withValidation(type)
        .build()
        .process(file);
      found.push(...errors.map(({ level, message }) => `${level}: ${message}`));
      if (!success && errors.length === 0) found.push('not valid');
    }
    return found;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe.each([...MANIFESTS])('the committed %s', (name, textOf) => {
  test('is the one that the configuration gives (else: npm run descriptor)', async () => {
    expect(await readFile(manifestFile(name), 'utf8')).toBe(textOf(described));
  });

  // On a busy machine, compiling its schema takes a while.
  test('is taken by Atlassian’s own validator, its region validators included', async () => {
    expect(await findingsIn(textOf(residency))).toEqual([]);
  });
});

describe('Atlassian’s validator', () => {
  const finding = (change: (manifest: ReturnType<typeof forgeManifest>) => object) =>
    findingsIn(stringify(change(forgeManifest(residency, URLS))));

  test('finds a remote that lacks a region of another', async () => {
    const other = {
      key: 'other',
      baseUrl: { default: 'https://x.example', US: 'https://x.example' },
      operations: ['storage'],
      storage: { inScopeEUD: true },
    };
    const found = await finding((manifest) => ({
      ...manifest,
      remotes: [...manifest.remotes, other],
    }));
    expect(found.join('\n')).toMatch(/other/);
  });

  test('finds hooks on a remote that does not exist, and a second module', async () => {
    const hook = { key: 'x', remote: 'nowhere', path: '/x', maxMigrationDurationHours: 1 };
    const found = (modules: object) => finding((manifest) => ({ ...manifest, modules }));
    expect(await found({ 'migration:dataResidency': [hook] })).not.toEqual([]);
    const again = { ...hook, remote: 'connect' };
    expect(await found({ 'migration:dataResidency': [again, { ...again, key: 'y' }] })).not.toEqual(
      [],
    );
  });
});

describe('a manifest', () => {
  const own = forgeManifest(residency, URLS);
  const pure = forgeManifest(residency, URLS, { lifecycle: 'forge' });

  test('has the base URLs of the Connect descriptor, and its window', () => {
    const descriptor = connectDescriptor(residency, URLS);
    const { default: standard, ...regional } = own.remotes[0]?.baseUrl ?? {};
    expect(standard).toBe(descriptor.baseUrl);
    expect(regional).toEqual(descriptor.regionBaseUrls);
    expect(own.modules['migration:dataResidency']).toEqual([
      expect.objectContaining({
        remote: 'connect',
        maxMigrationDurationHours: descriptor.dataResidency.maxMigrationDurationHours,
      }),
    ]);
    expect(own.app).toMatchObject({ connect: { key: residency.app.key, remote: 'connect' } });
  });

  test('names hooks that are routes of the Forge door', () => {
    const [{ path } = { path: '' }] = own.modules['migration:dataResidency'];
    for (const hook of ['schedule', 'start', 'commit', 'rollback'])
      expect(routes).toContain(`POST ${path}/${hook} forge-hook`);
    expect(routes).toContain(`GET ${path}/status forge-hook`);
  });

  test('lets either Connect or Forge announce installations, at routes of that scheme', () => {
    const connect = JSON.parse(JSON.stringify(own)).connectModules['confluence:lifecycle'][0];
    for (const event of ['installed', 'uninstalled'])
      expect(routes).toContain(`POST ${connect[event]} signed-install`);
    expect(pure).not.toHaveProperty('connectModules');
    expect(pure.app).not.toHaveProperty('connect');
    const { endpoint, trigger, preUninstall } = JSON.parse(JSON.stringify(pure.modules));
    for (const { route } of endpoint)
      expect(routes).toContain(`POST ${route.path} forge-lifecycle`);
    const used = [...trigger, ...preUninstall].map((each: { endpoint: string }) => each.endpoint);
    expect(used.sort()).toEqual(endpoint.map(({ key }: { key: string }) => key).sort());
  });

  test.each<[readonly Product[]]>([[['confluence']], [['jira']], [['jira', 'confluence']]])(
    'lets each product of the app announce its installations: %j',
    {},
    async (products) => {
      const configured = defineResidency({ ...residency, app: { ...residency.app, products } });
      const { connectModules } = JSON.parse(JSON.stringify(forgeManifest(configured, URLS)));
      expect(Object.keys(connectModules)).toEqual(products.map((name) => `${name}:lifecycle`));
      for (const [module] of Object.values<readonly object[]>(connectModules))
        expect(module).toMatchObject({ installed: '/installed', uninstalled: '/uninstalled' });
      expect(await findingsIn(stringify(forgeManifest(configured, URLS)))).toEqual([]);
    },
  );

  test.each([[[]], [['bitbucket']], [['jira', 'jira']], [undefined]])(
    'is not made for the products %j',
    (products) => {
      const app = { ...residency.app, ...Object({ products }) };
      expect(() => defineResidency({ ...residency, app })).toThrow('app.products names');
    },
  );

  test('stands beside an app’s own remote, and only the hooks are on ours', () => {
    const baseUrl = Object.fromEntries(
      Object.keys(own.remotes[0]?.baseUrl ?? {}).map((name) => [name, `https://${name}.theirs`]),
    );
    const beside = forgeManifest(residency, URLS, { beside: { key: 'theirs', baseUrl } });
    expect(beside.remotes.map(({ key }) => key)).toEqual(['theirs', 'residency']);
    expect(beside.app).toMatchObject({ connect: { remote: 'theirs' } });
    expect(beside.modules['migration:dataResidency'][0]?.remote).toBe('residency');
  });

  test('says which regions differ where an app’s own remote has others', () => {
    const baseUrl = { default: 'https://x', US: 'https://x', DE: 'https://x', JP: 'https://x' };
    expect(() => forgeManifest(residency, URLS, { beside: { key: 'theirs', baseUrl } })).toThrow(
      'both remotes need the same regions: remote "theirs" has no base URL for EU, AU, SG, and no realm serves JP',
    );
  });

  test('cannot be made for an app that is none, nor before the default realm has a URL', () => {
    const { forge: _, ...app } = residency.app;
    expect(() => forgeManifest({ ...residency, app }, URLS)).toThrow('there is no manifest');
    expect(() => forgeManifest(residency, {})).toThrow('not known yet');
  });
});

/**
 * The manifest: the committed file is the generated one, and the routes that it names exist. What
 * Atlassian's own validator says of it is in `forge-validator.proof.test.ts`.
 */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
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

describe.each([...MANIFESTS])('the committed %s', (name, textOf) => {
  test('is the one that the configuration gives (else: npm run descriptor)', async () => {
    expect(await readFile(manifestFile(name), 'utf8')).toBe(textOf(described));
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
    (products) => {
      const configured = defineResidency({ ...residency, app: { ...residency.app, products } });
      const { connectModules } = JSON.parse(JSON.stringify(forgeManifest(configured, URLS)));
      expect(Object.keys(connectModules)).toEqual(products.map((name) => `${name}:lifecycle`));
      for (const [module] of Object.values<readonly object[]>(connectModules))
        expect(module).toMatchObject({ installed: '/installed', uninstalled: '/uninstalled' });
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

/**
 * Which routes and functions an app has: those for Forge are deployed only for an app with a Forge
 * manifest.
 */
import { describe, expect, test } from 'vitest';
import { defineResidency } from '../../lambdas/domain/residency.ts';
import { deploymentOf } from '../../lib/deployment.ts';
import { ENTRIES, entriesOf } from '../../lib/entries.ts';
import { ROUTES, routesOf } from '../../lib/routes.ts';
import { residency } from '../../residency.config.ts';
import { at, ofType, templatesOf } from '../support/templates.ts';

const { forge, ...connectApp } = residency.app;
const connectOnly = { ...residency, app: connectApp };
const row = { realm: 'us', region: 'us-east-1' };
const environmentOf = (options: Partial<Parameters<typeof deploymentOf>[0]>) =>
  deploymentOf({ residency, stage: 'dev', row, ...options }).environment;

describe('an app without a Forge manifest', () => {
  test('has no route, no function and no setting of the Forge door', () => {
    expect(routesOf(connectOnly).filter(({ path }) => path.startsWith('/forge'))).toEqual([]);
    expect(routesOf(connectOnly).every(({ scheme }) => !scheme.startsWith('forge'))).toBe(true);
    expect(entriesOf(connectOnly)).not.toContain('hooks/forge-lifecycle');
    const settings = Object.keys(environmentOf({ residency: connectOnly }));
    expect(settings.filter((name) => name.startsWith('FORGE'))).toEqual([]);
  });
});

describe('an app with one', () => {
  test('has both doors, on the same functions', () => {
    expect(routesOf(residency)).toEqual(ROUTES);
    expect([...entriesOf(residency)].sort()).toEqual([...ENTRIES].sort());
    const entryOf = (path: string) => ROUTES.find((route) => route.path === path)?.entry;
    for (const hook of ['schedule', 'start', 'status', 'commit', 'rollback'])
      expect(entryOf(`/forge/migration/${hook}`)).toBe(entryOf(`/dare-migration/${hook}`));
  });

  test('accepts tokens of one app and one environment, which a stage may choose', () => {
    expect(environmentOf({})).toMatchObject({
      FORGE_APP_ID: forge?.appId,
      FORGE_ENVIRONMENT: 'PRODUCTION',
      FORGE_JWKS_URL: expect.stringMatching(/^https:\/\/forge\.cdn\.prod\.atlassian-dev\.net\//),
    });
    expect(environmentOf({ forgeEnvironment: 'STAGING' })).toMatchObject({
      FORGE_ENVIRONMENT: 'STAGING',
    });
    expect(() => environmentOf({ forgeEnvironment: 'production' })).toThrow('forgeEnvironment is');
  });

  test('is refused with an id that is no ARI', () => {
    const app = { ...connectApp, forge: { appId: '7c3f1d52-0a44-4c5e-9d6b-2f8e5b1a9c30' } };
    expect(() => defineResidency({ ...residency, app })).toThrow('app.forge.appId is an ARI');
  });
});

describe('the servers of install keys', () => {
  const app = (installKeyServers: readonly string[]) => ({
    ...residency,
    app: { ...residency.app, installKeyServers },
  });

  test('are Atlassian’s two, the one with the keys of today first', () => {
    expect(environmentOf({})).toMatchObject({
      INSTALL_KEYS_URL:
        'https://asap-distribution.us-west-2.prod.atl-asap.net,https://connect-install-keys.atlassian.com',
    });
  });

  test('are the configuration’s, or a stage’s, where those say so', () => {
    const own = app(['https://keys.one.example']);
    expect(environmentOf({ residency: own })).toMatchObject({
      INSTALL_KEYS_URL: 'https://keys.one.example',
    });
    const installKeyServers = ['https://gov.example/keys', 'https://two.example'];
    expect(environmentOf({ residency: own, installKeyServers })).toMatchObject({
      INSTALL_KEYS_URL: 'https://gov.example/keys,https://two.example',
    });
  });

  test.each([
    [['http://keys.example']],
    [['https://keys.example/']],
    [['https://user@keys.example']],
    [['https://keys.example?x=']],
    [['keys.example']],
    [[]],
    [['https://a.example', 'https://b.example', 'https://c.example']],
  ])('are refused when they are %j', (installKeyServers) => {
    expect(() => defineResidency(app(installKeyServers))).toThrow('installKeyServers');
    expect(() => environmentOf({ installKeyServers })).toThrow('installKeyServers');
  });

  test('are what the command line of CDK gives', () => {
    const context = { installKeyServers: 'https://one.example,https://two.example' };
    const [template] = templatesOf(residency, context);
    if (template === undefined) throw new Error('there is no stack');
    for (const lambda of ofType(template, 'AWS::Lambda::Function')) {
      const { INSTALL_KEYS_URL: urls } = Object(
        at(lambda, 'Properties', 'Environment', 'Variables'),
      );
      expect(urls).toBe(context.installKeyServers);
    }
  });
});

test('no path is a route of two schemes', () => {
  const keys = ROUTES.map(({ method, path }) => `${method} ${path}`);
  expect(new Set(keys).size).toBe(keys.length);
});

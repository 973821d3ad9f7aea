/** Which realm's app gets a lifecycle event, and when it must not. */
import { describe, expect, test } from 'vitest';
import { defineResidency, type Residency } from '../../../lambdas/domain/residency.ts';
import {
  type ForwardUrls,
  forwardUrlOf,
  forwardVerdict,
} from '../../../lambdas/domain/tenants/forwarding.ts';
import type { TenantRecord, TenantState } from '../../../lambdas/domain/tenants/tenant.ts';
import { deploymentOf } from '../../../lib/deployment.ts';
import { residency } from '../../../residency.config.ts';

const realms = [
  { realm: 'us', region: 'us-east-1' },
  { realm: 'de', region: 'eu-central-1' },
  { realm: 'eu', region: 'eu-central-1', servedBy: 'de' },
];
const urlIn = (realm: string, installedForwardUrl: ForwardUrls | undefined) =>
  forwardUrlOf({ app: { ...(installedForwardUrl && { installedForwardUrl }) }, realms }, realm);

describe('the URL that installations are forwarded to', () => {
  test('is that of the realm, from a record or a function, without a trailing slash', () => {
    const urls = { us: 'https://app-us.example/', de: 'https://app-de.example/addon/' };
    expect(urlIn('us', urls)).toBe('https://app-us.example');
    expect(urlIn('de', urls)).toBe('https://app-de.example/addon');
    expect(urlIn('de', (realm) => `https://app-${realm}.example`)).toBe('https://app-de.example');
    expect(urlIn('us', undefined)).toBeUndefined();
  });

  test('is one text only where there is one stack', () => {
    expect(() => urlIn('us', 'https://app.example')).toThrow(
      'app.installedForwardUrl is one URL for 2 realms: give one per realm, { us: …, de: … }',
    );
    const alone = {
      app: { installedForwardUrl: 'https://app.example' },
      realms: realms.slice(0, 1),
    };
    expect(forwardUrlOf(alone, 'us')).toBe('https://app.example');
  });

  test.each<[string, ForwardUrls, string]>([
    ['a realm that is missing', { us: 'https://a.example' }, 'of realm de is an https:// URL'],
    ['a realm without a stack', { us: 'https://a', de: 'https://b', eu: 'https://c' }, '"eu"'],
    ['a function that knows no answer', () => '', 'of realm us is an https:// URL'],
    ['no encryption', (realm) => `http://${realm}.example`, 'an https:// URL'],
    ['a query', (realm) => `https://${realm}.example/?key=1`, 'without credentials, query'],
    ['credentials', (realm) => `https://a:b@${realm}.example`, 'without credentials'],
  ])('is refused with %s when the configuration is loaded', (_, installedForwardUrl, sentence) => {
    const app = { ...residency.app, installedForwardUrl };
    expect(() => defineResidency({ ...residency, realms, app })).toThrow(sentence);
  });

  test.each([
    [{ forwardedPaths: ['/installed'] }, 'and app.installedForwardUrl not where'],
    [
      {
        installedForwardUrl: (realm: string) => `https://${realm}.a`,
        forwardedPaths: ['/enabled'],
      },
      'app.forwardedPaths names /enabled, which is not passed on',
    ],
  ])('has paths that are passed on: %j is refused', (rest, sentence) => {
    const app: object = { ...residency.app, ...rest };
    expect(() => defineResidency({ ...residency, realms, app: app as Residency['app'] })).toThrow(
      sentence,
    );
  });

  test('reaches the functions of its own realm alone, and lengthens the drain', () => {
    const row = { realm: 'de', region: 'eu-central-1' };
    const app = {
      ...residency.app,
      installedForwardUrl: (realm: string) => `https://app-${realm}.example`,
    };
    const of = (one: typeof residency) =>
      deploymentOf({ residency: one, stage: 'dev', row, otherWritersSeconds: 30 }).environment;
    expect(of({ ...residency, app })).toMatchObject({
      INSTALLED_FORWARD_URL: 'https://app-de.example',
      // A hook that read the record just before the fence runs for 10 s, and then the app for 30 s.
      DRAIN_SECONDS: '50',
    });
    expect(of(residency)['DRAIN_SECONDS']).toBe('40');
    expect(of(residency)).not.toHaveProperty('INSTALLED_FORWARD_URL');
  });
});

describe('whether the app hears of an event', () => {
  const record = (state: TenantState): TenantRecord => ({
    tenant: 'acme',
    state,
    credentials: { sharedSecret: 'newest', iat: 200 },
    installation: {},
  });

  test('of an installation: where the tenant is served, and by what it brought', () => {
    expect(forwardVerdict('installed', record('active'), 'newest')).toBe('yes');
    expect(forwardVerdict('installed', record('active'), 'older')).toBe('superseded');
    expect(forwardVerdict('installed', record('active'))).toBe('yes');
    expect(forwardVerdict('upgraded', record('active'))).toBe('yes');
    expect(forwardVerdict('installed', record('retired'), 'newest')).toBe('superseded');
    expect(forwardVerdict('installed', undefined, 'newest')).toBe('not-served');
  });

  test('of an uninstallation: where it retired, or nobody knew it; not when it was installed since', () => {
    expect(forwardVerdict('uninstalled', record('retired'))).toBe('yes');
    expect(forwardVerdict('uninstalled', undefined)).toBe('yes');
    expect(forwardVerdict('uninstalled', record('active'))).toBe('superseded');
  });

  test.each<TenantState>(['frozen', 'standby', 'moved', 'withdrawn', 'purging', 'opening'])(
    'of nothing while the tenant is %s: what the app then writes would pass the guard',
    (state) => {
      for (const event of ['installed', 'upgraded', 'uninstalled'] as const)
        expect(forwardVerdict(event, record(state), 'newest')).toBe('not-served');
    },
  );
});

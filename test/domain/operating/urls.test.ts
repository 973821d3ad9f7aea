/** Base URLs in one spelling, and those that are refused. */
import { describe, expect, test } from 'vitest';
import {
  baseUrlIn,
  checkBaseUrls,
  otherAudiences,
} from '../../../lambdas/domain/operating/urls.ts';
import { baseUrlsOf, defineResidency } from '../../../lambdas/domain/residency.ts';
import { deploymentOf } from '../../../lib/deployment.ts';
import { localBaseUrls } from '../../../lib/local-base-urls.ts';
import { residency } from '../../../residency.config.ts';

const realms = [
  { realm: 'us', region: 'us-east-1' },
  { realm: 'de', region: 'eu-central-1' },
  { realm: 'eu', region: 'eu-central-1', servedBy: 'de' },
];

describe('a base URL', () => {
  test.each([
    ['https://app.example/', 'https://app.example'],
    ['https://App.Example:443', 'https://app.example'],
    ['https://app.example/addon/us/', 'https://app.example/addon/us'],
    ['http://127.0.0.1:4101/', 'http://127.0.0.1:4101'],
    ['http://localhost:9000/us', 'http://localhost:9000/us'],
  ])('%s has one spelling', (text, one) => expect(baseUrlIn(text)).toBe(one));

  test.each([
    'http://app.example',
    'app.example',
    'https://a:b@app.example',
    'https://app.example?x=1',
    'https://app.example/#top',
    'https://app .example',
    'ftp://app.example',
    '',
    undefined,
  ])('is not %j', (text) => expect(baseUrlIn(text)).toBeUndefined());

  test('is handed on in that spelling, whatever the configuration has', () => {
    const baseUrls = { us: 'https://US.app.example/', de: 'https://de.app.example/x/' };
    expect(baseUrlsOf({ realms, baseUrls }, 'prod')).toEqual({
      us: 'https://us.app.example',
      de: 'https://de.app.example/x',
    });
  });
});

describe('a configuration', () => {
  test.each<[string, Parameters<typeof checkBaseUrls>[0], string]>([
    ['an unknown realm', { realms, baseUrls: { fr: 'https://fr.example' } }, 'realm "fr"'],
    ['no encryption', { realms, baseUrls: { us: 'http://us.example' } }, 'realm us is an https'],
    [
      'one URL for two stacks',
      { realms, baseUrls: { us: 'https://app.example', de: 'https://App.example/' } },
      'realms us and de have the same URL, https://app.example',
    ],
    [
      'one URL for two stacks, in a list',
      {
        realms,
        baseUrls: { us: 'https://a.example', de: ['https://b.example', 'https://A.example'] },
      },
      'realms us and de have the same URL, https://a.example',
    ],
    ['no URL in a list', { realms, baseUrls: { us: [] } }, 'realm us is one URL, or a list'],
    [
      'no encryption in a list',
      { realms, baseUrls: { us: ['https://us.example', 'http://us.example'] } },
      'realm us is an https',
    ],
    ['a domain with a scheme', { realms, domain: 'https://app.example' }, 'without https://'],
    ['a domain with a path', { realms, domain: 'app.example/x' }, 'without a path'],
  ])('with %s is refused', (_, addressed, sentence) => {
    expect(() => checkBaseUrls(addressed)).toThrow(sentence);
    expect(() => defineResidency({ ...residency, ...addressed })).toThrow(sentence);
  });

  test('has the base URL first in a list, and audiences behind it', () => {
    const baseUrls = { us: ['https://US.app.example/', 'https://old.app.example/x'] };
    expect(() => checkBaseUrls({ realms, baseUrls })).not.toThrow();
    expect(baseUrlsOf({ realms, baseUrls }, 'prod')).toEqual({ us: 'https://us.app.example' });
    expect(otherAudiences({ baseUrls }, 'us')).toEqual([
      'https://us.app.example',
      'https://old.app.example/x',
    ]);
    expect(otherAudiences({ baseUrls }, 'de')).toEqual([]);
    expect(otherAudiences({ baseUrls, domain: 'app.example' }, 'us')).toEqual([]);
  });

  test('may have one URL for a realm and the one that serves it', () => {
    const baseUrls = { de: 'https://de.example', eu: 'https://de.example' };
    expect(() => checkBaseUrls({ realms, baseUrls })).not.toThrow();
  });

  test('whose base URLs are on this machine is for the local host, and not deployed', () => {
    const row = { realm: 'us', region: 'us-east-1' };
    const rehearsed = { ...residency, baseUrls: { us: 'http://127.0.0.1:9000/us' } };
    expect(() => deploymentOf({ residency: rehearsed, stage: 'dev', row })).toThrow(
      'the base URL of realm us, http://127.0.0.1:9000/us, is for the local host',
    );
  });
});

describe('the local host', () => {
  const own = (stack: string) => `http://127.0.0.1:410${stack === 'us' ? 1 : 2}`;
  const of = (baseUrls: Record<string, string>, env = {}) =>
    localBaseUrls({ ...residency, realms, baseUrls }, env, own);

  test('is called as the configuration says, where that is on this machine', () => {
    const { urls, elsewhere } = of({ us: 'http://localhost:9/us/', de: 'https://de.app.example' });
    expect(urls).toEqual({ us: 'http://localhost:9/us', de: own('de'), eu: own('de') });
    expect(elsewhere).toEqual([['de', 'https://de.app.example']]);
  });

  test('is called as BASE_URLS says, whatever that is', () => {
    const env = { BASE_URLS: '{"de":"https://de.app.test/"}' };
    expect(of({ de: 'http://localhost:9' }, env).urls).toEqual({
      us: own('us'),
      de: 'https://de.app.test',
      eu: 'https://de.app.test',
    });
  });

  test.each([
    ['us=x', 'BASE_URLS is a JSON object of realm to URL'],
    ['{"us":1}', 'BASE_URLS is a JSON object of realm to URL'],
    ['{"fr":"https://fr.example"}', 'BASE_URLS names realm "fr", which is not configured'],
    ['{"us":"http://us.example"}', 'BASE_URLS: that of realm us is an https:// URL'],
  ])('refuses BASE_URLS=%s', (BASE_URLS, sentence) => {
    expect(() => of({}, { BASE_URLS })).toThrow(sentence);
  });
});

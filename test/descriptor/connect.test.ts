/** The descriptor: the committed file is the generated one, and the routes that it names exist. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { connectDescriptor } from '../../descriptor/connect.ts';
import { DESCRIPTOR_FILE, described, descriptorText } from '../../descriptor/write.ts';
import { ROUTES } from '../../lib/routes.ts';
import { residency } from '../../residency.config.ts';

const URLS = { us: 'https://us.app.example', de: 'https://de.app.example' };
const SERVED = ['schedule', 'start', 'status', 'commit', 'rollback'];

describe('the committed descriptor', () => {
  test('is the one that the configuration gives (else: npm run descriptor)', async () => {
    expect(await readFile(DESCRIPTOR_FILE, 'utf8')).toBe(descriptorText(described));
  });

  test('declares signed installs, and a window short enough to move together with the product', () => {
    const descriptor = JSON.parse(descriptorText(residency));
    expect(descriptor.apiMigrations).toMatchObject({ 'signed-install': true });
    expect(descriptor.authentication).toEqual({ type: 'jwt' });
    expect(descriptor.dataResidency).toEqual({ maxMigrationDurationHours: 1.5 });
  });

  test('has an https URL for every realm, by its name in capitals, and the default realm’s as its own', () => {
    const { baseUrl, regionBaseUrls } = JSON.parse(descriptorText(residency));
    const names = residency.realms.map(({ realm }) => realm.toUpperCase());
    expect(Object.keys(regionBaseUrls)).toEqual(names);
    for (const url of Object.values(regionBaseUrls)) expect(url).toMatch(/^https:\/\/[^/]+$/);
    expect(baseUrl).toBe(regionBaseUrls[residency.defaultRealm.toUpperCase()]);
  });
});

describe('every path in the descriptor', () => {
  const { lifecycle } = connectDescriptor(residency, URLS);
  const { 'dare-migration': migration, ...events } = lifecycle;
  const routes = ROUTES.map(({ method, path, scheme }) => `${method} ${path} ${scheme}`);

  test.each(Object.entries(events))('is a route that takes signed installs: %s', (_, path) => {
    expect(routes).toContain(`POST ${path} signed-install`);
  });

  test.each(SERVED)('is a route that the tenant signs: %s', (hook) => {
    const method = hook === 'status' ? 'GET' : 'POST';
    expect(routes).toContain(`${method} ${migration}/${hook} connect-jwt`);
  });
});

describe('a descriptor', () => {
  test('leaves a realm out whose stack has no URL yet', () => {
    expect(connectDescriptor(residency, URLS).regionBaseUrls).toEqual({ US: URLS.us, DE: URLS.de });
  });

  test('names a realm that another one’s stack serves, with that one’s URL', () => {
    const realms = [
      { realm: 'us', region: 'us-east-1' },
      { realm: 'de', region: 'eu-central-1' },
      { realm: 'eu', region: 'eu-central-1', servedBy: 'de' },
    ];
    expect(connectDescriptor({ ...residency, realms }, URLS).regionBaseUrls).toEqual({
      US: URLS.us,
      DE: URLS.de,
      EU: URLS.de,
    });
  });

  test('has the base URLs of the configuration, and those of its domain above them', () => {
    const configured = { ...residency, baseUrls: URLS };
    expect(JSON.parse(descriptorText(configured)).regionBaseUrls).toEqual({
      US: URLS.us,
      DE: URLS.de,
    });
    const { baseUrl } = JSON.parse(descriptorText({ ...configured, domain: 'exporter.example' }));
    expect(baseUrl).toBe('https://us.exporter.example');
  });
});

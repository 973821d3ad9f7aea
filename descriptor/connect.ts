/** Pure: the Connect descriptor, from the configuration and the base URLs. */
import { stackOf } from '../lambdas/domain/realm.ts';
import type { Residency } from '../lambdas/domain/residency.ts';

/** `baseUrls`: realm with a stack → URL. A realm whose URL is not known yet is left out. */
export function connectDescriptor(
  residency: Residency,
  baseUrls: Readonly<Record<string, string>>,
) {
  const { app, realms, defaultRealm, maxMigrationDurationHours } = residency;
  const regional = realms.flatMap(({ realm }) => {
    const url = baseUrls[stackOf(realms, realm)];
    return url === undefined ? [] : [[realm.toUpperCase(), url] as const];
  });
  return {
    key: app.key,
    name: app.name,
    description: app.description,
    vendor: app.vendor,
    baseUrl: baseUrls[defaultRealm],
    // The keys of this map are the realms that the app supports; nothing else declares them.
    regionBaseUrls: Object.fromEntries(regional),
    authentication: { type: 'jwt' },
    apiMigrations: { 'signed-install': true, gdpr: true },
    apiVersion: 1,
    scopes: app.scopes,
    lifecycle: {
      installed: '/installed',
      uninstalled: '/uninstalled',
      'dare-migration': '/dare-migration',
    },
    dataResidency: { maxMigrationDurationHours },
    modules: {},
  };
}

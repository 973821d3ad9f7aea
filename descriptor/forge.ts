/**
 * Pure: the parts of a Forge manifest that data residency needs, from the same facts as the Connect
 * descriptor.
 */
import { stackOf } from '../lambdas/domain/realm.ts';
import type { Product, Residency } from '../lambdas/domain/residency.ts';

/** A remote that the manifest has already, with its base URLs by location. */
export interface ExistingRemote {
  readonly key: string;
  readonly baseUrl: Readonly<Record<string, string>>;
}

export interface ManifestOptions {
  /** The app's own remote, where ours stands beside it. The hooks then go to ours. */
  readonly beside?: ExistingRemote;
  /**
   * Where installations are announced: by the app's Connect lifecycle, or by Forge for an app
   * without a Connect module.
   */
  readonly lifecycle?: 'connect' | 'forge';
}

const OUR_REMOTE = 'residency';
const APP_REMOTE = 'connect';

/**
 * `baseUrls`: realm with a stack → URL. Throws a sentence where Atlassian would refuse the
 * manifest.
 */
export function forgeManifest(
  residency: Residency,
  baseUrls: Readonly<Record<string, string>>,
  { beside, lifecycle = 'connect' }: ManifestOptions = {},
) {
  const { app, maxMigrationDurationHours } = residency;
  if (app.forge === undefined) throw new Error('app.forge is not configured: there is no manifest');
  const baseUrl = regionalUrls(residency, baseUrls);
  if (beside !== undefined) checkRegions(beside, baseUrl);
  const ours = beside === undefined ? APP_REMOTE : OUR_REMOTE;
  const remotes = [
    ...(beside === undefined ? [] : [remote(beside.key, beside.baseUrl)]),
    remote(ours, baseUrl),
  ];
  const hooks = {
    'migration:dataResidency': [
      { key: 'data-residency', remote: ours, path: '/forge/migration', maxMigrationDurationHours },
    ],
  };
  const manifest = { app: appOf(residency, lifecycle, beside?.key ?? ours), remotes };
  return lifecycle === 'connect'
    ? { ...manifest, connectModules: connectLifecycle(app.products), modules: hooks }
    : { ...manifest, modules: { ...hooks, ...forgeLifecycle(ours) } };
}

/** A Connect app that adopts Forge keeps its key and remote, and so its tenants. */
function appOf({ app }: Residency, lifecycle: 'connect' | 'forge', remoteKey: string) {
  const id = app.forge?.appId;
  const runtime = { name: 'nodejs24.x' };
  return lifecycle === 'connect'
    ? { id, runtime, connect: { key: app.key, remote: remoteKey, authentication: 'jwt' } }
    : { id, runtime };
}

/**
 * Each product sends its own events, to the remote that `app.connect` names. Beside an existing
 * app, its router passes them on to us.
 */
const connectLifecycle = (products: readonly Product[]) =>
  Object.fromEntries(
    products.map((product) => [
      `${product}:lifecycle`,
      [
        {
          key: `residency-${product}-lifecycle`,
          installed: '/installed',
          uninstalled: '/uninstalled',
        },
      ],
    ]),
  );

function forgeLifecycle(remoteKey: string) {
  const events = ['installed', 'upgraded', 'uninstalled'] as const;
  const keyOf = (event: (typeof events)[number]) => `residency-${event}`;
  return {
    trigger: (['installed', 'upgraded'] as const).map((event) => ({
      key: `${keyOf(event)}-trigger`,
      endpoint: keyOf(event),
      events: [`avi:forge:${event}:app`],
    })),
    preUninstall: [{ key: 'residency-uninstalled-trigger', endpoint: keyOf('uninstalled') }],
    endpoint: events.map((event) => ({
      key: keyOf(event),
      remote: remoteKey,
      route: { path: `/forge/lifecycle/${event}` },
    })),
  };
}

const remote = (key: string, baseUrl: Readonly<Record<string, string>>) => ({
  key,
  baseUrl,
  operations: ['storage', 'compute'],
  storage: { inScopeEUD: true },
});

function regionalUrls(
  { realms, defaultRealm }: Residency,
  baseUrls: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const standard = baseUrls[defaultRealm];
  if (standard === undefined)
    throw new Error(`the base URL of realm ${defaultRealm}, the default, is not known yet`);
  const regional = realms.flatMap(({ realm }) => {
    const url = baseUrls[stackOf(realms, realm)];
    return url === undefined ? [] : [[realm.toUpperCase(), url] as const];
  });
  return { default: standard, ...Object.fromEntries(regional) };
}

/** Atlassian refuses a manifest in which remotes that hold data have different regions. */
function checkRegions({ key, baseUrl }: ExistingRemote, ours: Readonly<Record<string, string>>) {
  const missing = (some: object, of: object) => Object.keys(of).filter((name) => !(name in some));
  const [theirs, own] = [missing(baseUrl, ours), missing(ours, baseUrl)];
  if (theirs.length === 0 && own.length === 0) return;
  const sentences = [
    ...(theirs.length > 0 ? [`remote "${key}" has no base URL for ${theirs.join(', ')}`] : []),
    ...(own.length > 0 ? [`no realm serves ${own.join(', ')}`] : []),
  ];
  throw new Error(`both remotes need the same regions: ${sentences.join(', and ')}`);
}

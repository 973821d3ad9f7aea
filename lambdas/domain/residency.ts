/** The form of `residency.config.ts`, and the names that follow from it. */
import type { Part } from './datasets/dataset.ts';
import { checkParts } from './datasets/declaration.ts';
import { checkFields } from './datasets/declared-fields.ts';
import { ANY_ACCOUNT, kindOf, type Location, placeNameOf } from './datasets/kinds.ts';
import { otherWritersSecondsOf } from './datasets/other-writers.ts';
import { clashAmong, type PhysicalPlace } from './datasets/physical-places.ts';
import { checkIsolatedClouds, type IsolatedClouds } from './isolated-clouds.ts';
import { type BaseUrls, baseUrlIn, checkBaseUrls, listedUrls } from './operating/urls.ts';
import { type CopyAhead, checkCopyAhead } from './planning/copy-ahead.ts';
import type { Realm, RealmRow } from './realm.ts';
import { stackOf, stackRows } from './realm.ts';
import { checkForwardUrls, type ForwardedPath, type ForwardUrls } from './tenants/forwarding.ts';

export interface ForgeApp {
  /** `ari:cloud:ecosystem::app/…`, as `forge register` wrote it into the manifest. */
  readonly appId: string;
  /** The environment whose tokens are accepted; `PRODUCTION` where it is left out. */
  readonly environment?: ForgeEnvironment;
  /**
   * For the months in which sites are updated from Connect to Forge. An installation that shares
   * only its host name with a Connect tenant raises an alarm, and waits until an operator adopts or
   * disowns it. Where it is left out, the installation is a new tenant.
   */
  readonly adoptByHost?: boolean;
}

export const FORGE_ENVIRONMENTS = ['PRODUCTION', 'STAGING', 'DEVELOPMENT'] as const;
export type ForgeEnvironment = (typeof FORGE_ENVIRONMENTS)[number];
/** Where an app lives whose manifest and deployment name no environment. */
export const FORGE_ENVIRONMENT: ForgeEnvironment = 'PRODUCTION';

/**
 * Atlassian's keys of Forge invocation tokens. One set serves all environments; it is pinned, so
 * that no claim of a token chooses where keys come from.
 */
export const FORGE_KEYS_URL = 'https://forge.cdn.prod.atlassian-dev.net/.well-known/jwks.json';

/**
 * Days that point-in-time backups of every table go back; receipts say when the last of them is
 * gone.
 */
export const BACKUP_DAYS = 7;
/**
 * Seconds between a commit and the purge of the source: for so long, a rollback copies nothing back
 * that was purged.
 */
export const COMMIT_GRACE_SECONDS = 300;

/** The products with data residency and Connect's lifecycle modules. */
const PRODUCTS = ['confluence', 'jira'] as const;
export type Product = (typeof PRODUCTS)[number];

/** Atlassian's servers of install keys, in the order in which its own framework asks them. */
const INSTALL_KEY_SERVERS: readonly string[] = [
  'https://asap-distribution.us-west-2.prod.atl-asap.net',
  'https://connect-install-keys.atlassian.com',
];

/** Everything that a vendor decides. */
export interface Residency {
  /** First word of every physical name: `{name}-{stage}-{realm}-tenants`. */
  readonly name: string;
  readonly app: {
    readonly key: string;
    readonly name: string;
    readonly description: string;
    readonly vendor: { readonly name: string; readonly url: string };
    readonly scopes: readonly string[];
    /**
     * The products in which it is installed. Each announces its own installations to a Forge app's
     * Connect modules.
     */
    readonly products: readonly Product[];
    /**
     * Where a verified `installed` or `uninstalled` is passed on to, for apps with handlers of
     * their own: realm to the base URL of the app in that realm, or a function of the realm.
     */
    readonly installedForwardUrl?: ForwardUrls;
    /**
     * The paths that are passed on, each of which the app has a handler for. Left out: all, and 404
     * or 405 counts as no handler, except for `/installed`.
     */
    readonly forwardedPaths?: readonly ForwardedPath[];
    /** For an app with a Forge manifest. Without it there are no Forge routes. */
    readonly forge?: ForgeApp;
    /**
     * The servers of the public keys of signed installs. Left out, they are Atlassian's; government
     * cloud has others.
     */
    readonly installKeyServers?: readonly string[];
  };
  /**
   * For an app that Atlassian has onboarded to isolated clouds. Without it, their tokens are
   * refused.
   */
  readonly isolatedCloud?: IsolatedClouds;
  readonly realms: readonly RealmRow[];
  /** The realm that serves `baseUrl`, that is, customers without a pinned location. */
  readonly defaultRealm: Realm;
  /**
   * With a domain, realm `de` answers on `https://de.{domain}` in `prod`, and on
   * `https://de.{stage}.{domain}` in other stages.
   */
  readonly domain?: string;
  /** The Route 53 zone of the domain, unless `-c hostedZoneId=…` names it. */
  readonly hostedZoneId?: string;
  /**
   * Without a domain: each realm's base URL as the first deployment printed it, or your router's. A
   * path in it is for a router, which must take it off. A list has the base URL first; to the
   * others Atlassian's install tokens may be made out too, such as a URL that the descriptor had
   * before.
   */
  readonly baseUrls?: BaseUrls;
  readonly parts: readonly Part[];
  /**
   * Places with data of tenants that this system does not move, such as a search index. Receipts
   * name them.
   */
  readonly outOfScope?: readonly string[];
  /**
   * Largest timeout, in seconds, of a function outside this app that writes datasets: your
   * handlers, consumers and jobs. A copy waits for that long after the fence. Required where a part
   * is a table of your own.
   */
  readonly otherWritersSeconds?: number;
  /** Declared to Atlassian: 0.5 to 24 in steps of 0.5. */
  readonly maxMigrationDurationHours: number;
  /**
   * Overlapping windows that one realm accepts as a source, unless `MAX_OVERLAPPING_MIGRATIONS`
   * says otherwise.
   */
  readonly maxOverlappingMigrations: number;
  /**
   * Copies large tenants ahead of their windows; off without it, and in a stage with `-c
   * copyAhead=off`.
   */
  readonly copyAhead?: CopyAhead;
}

/** Checks a configuration when it is loaded; throws a sentence that says what to change. */
export function defineResidency(residency: Residency): Residency {
  checkParts(residency.parts);
  otherWritersSecondsOf(residency);
  const realms = new Set(residency.realms.map((row) => row.realm));
  const stacks = new Set(stackRows(residency.realms).map((row) => row.realm));
  if (realms.size !== residency.realms.length) throw new Error('a realm stands in two rows');
  for (const row of residency.realms) {
    checkFields(
      row,
      ROW_FIELDS,
      (field, allowed) =>
        new Error(
          `realm "${row.realm}" has a field "${field}", which means nothing here; allowed are ${allowed}`,
        ),
    );
    if (!/^[a-z]{2,6}$/.test(row.realm))
      throw new Error(`realm "${row.realm}": two to six lower-case letters`);
    if (row.servedBy !== undefined && !stacks.has(row.servedBy)) {
      throw new Error(`realm "${row.realm}" is served by "${row.servedBy}", which has no stack`);
    }
    if (row.isProtected !== undefined && typeof row.isProtected !== 'boolean')
      throw new Error(`realm "${row.realm}": isProtected is true or false`);
  }
  checkBaseUrls(residency);
  checkForwardUrls(residency);
  if (!stacks.has(residency.defaultRealm)) throw new Error('the default realm has no stack');
  const { forge } = residency.app;
  if (forge !== undefined && !/^ari:cloud:ecosystem::app\/[0-9a-f-]{36}$/.test(forge.appId))
    throw new Error('app.forge.appId is an ARI: ari:cloud:ecosystem::app/…');
  checkProducts(residency.app);
  keyServersOf(residency.app);
  if (residency.isolatedCloud !== undefined) checkIsolatedClouds(residency.isolatedCloud);
  const hours = residency.maxMigrationDurationHours;
  if (!(hours >= 0.5 && hours <= 24 && Number.isInteger(hours * 2))) {
    throw new Error('maxMigrationDurationHours is 0.5 to 24 in steps of 0.5');
  }
  const cap = residency.maxOverlappingMigrations;
  if (!(Number.isInteger(cap) && cap >= 1))
    throw new Error('maxOverlappingMigrations is a whole number from 1 on');
  if (residency.copyAhead !== undefined) checkCopyAhead(residency.copyAhead);
  for (const stage of LIKELY_STAGES) checkLikelyPlaces(residency, stage);
  return residency;
}

function checkProducts({ products }: Pick<Residency['app'], 'products'>): void {
  const isList = Array.isArray(products) && products.length > 0;
  if (!isList || products.some((product) => !PRODUCTS.includes(product)))
    throw new Error(`app.products names one or both of ${PRODUCTS.join(' and ')}`);
  if (new Set(products).size !== products.length)
    throw new Error('app.products names a product twice');
}

/**
 * The servers in the order in which they are asked. Throws a sentence where one is no address of a
 * server.
 */
export function keyServersOf({
  installKeyServers = INSTALL_KEY_SERVERS,
}: Pick<Residency['app'], 'installKeyServers'>): readonly string[] {
  if (installKeyServers.length === 0 || installKeyServers.length > MOST_KEY_SERVERS)
    throw new Error(`installKeyServers names one to ${MOST_KEY_SERVERS} servers`);
  for (const url of installKeyServers) {
    if (!/^https:\/\/[a-z0-9.-]+(?:\/[\w.-]+)*$/.test(url))
      throw new Error(`installKeyServers: "${url}" is not https://… without a trailing slash`);
  }
  return installKeyServers;
}

/** Each server may take two seconds, and a hook is answered within five. */
const MOST_KEY_SERVERS = 2;

/** Refuses unknown fields: a misspelt `servedBy` would make a stack of its own. */
const ROW_FIELDS: Readonly<Record<keyof RealmRow, true>> = {
  realm: true,
  region: true,
  servedBy: true,
  isProtected: true,
};

/** Usual names of stages. The deployment names the real one, and checks it again. */
const LIKELY_STAGES = ['dev', 'prod', 'local'];

/**
 * Checks a stage that may not exist: where a part has no name for it, there is nothing to check.
 */
function checkLikelyPlaces(residency: Residency, stage: string): void {
  for (const { realm, region } of stackRows(residency.realms))
    for (const part of residency.parts)
      if (!canName(part, { realm, region, stage, account: ANY_ACCOUNT })) return;
  checkPlaces(residency, stage);
}

function canName(part: Part, location: Location): boolean {
  try {
    return typeof (kindOf(part).ownName(part, location) ?? '') === 'string';
  } catch {
    return false;
  }
}

/**
 * Refuses a stage in which two tables of ours, of parts or of realms would be one; throws a
 * sentence that names both.
 */
export function checkPlaces(residency: Tables, stage: string, account = ANY_ACCOUNT): void {
  const clash = clashIn(residency, stage, account);
  if (clash !== undefined) throw new Error(clash);
}

type Tables = Pick<Residency, 'name' | 'realms' | 'parts'>;

/**
 * Which two tables of a stage are one, as a sentence; `undefined` where each is a place of its own.
 */
export function clashIn(
  residency: Tables,
  stage: string,
  account = ANY_ACCOUNT,
): string | undefined {
  const places = stackRows(residency.realms).flatMap(
    ({ realm, region }): readonly PhysicalPlace[] => {
      const names = physicalNames(residency, stage, realm);
      return [
        { realm, region, name: names.tenants },
        { realm, region, name: names.migrations },
        ...residency.parts.map((part) => ({
          realm,
          region,
          part,
          name: String(names.part(part, { account, region })),
        })),
      ];
    },
  );
  const clash = clashAmong(places);
  return clash && `stage ${stage}: ${clash}`;
}

/** Deterministic physical names, by which stacks name each other without cross-stack references. */
export function physicalNames(residency: Pick<Residency, 'name'>, stage: string, realm: Realm) {
  const prefix = `${residency.name}-${stage}-${realm}`;
  return {
    prefix,
    tenants: `${prefix}-tenants`,
    migrations: `${prefix}-migrations`,
    stateMachine: `${prefix}-realm-migration`,
    /** Alias of the key that signs receipts. */
    receiptKey: `alias/${prefix}-receipts`,
    /** The table or bucket of a part; a bucket's name needs to know where it is. */
    part: (part: Part, where?: Pick<Location, 'account' | 'region'>) => {
      if (where === undefined && part.kind !== 'dynamodb')
        throw new Error(`part "${part.name}": its name has the account and the region in it`);
      const { account, region } = where ?? { account: ANY_ACCOUNT, region: '' };
      return placeNameOf(part, prefix, { stage, realm, account, region });
    },
    /**
     * Name of a Lambda and of its role, by the file that it is made from: `start`, `copy-range`…
     */
    lambda: (entry: string) => `${prefix}-${entry}`,
  };
}

/**
 * Realm → base URL: below the domain, or as configured. Without both, the first deployment prints
 * the URLs.
 */
export function baseUrlsOf(
  { domain, baseUrls, realms }: Pick<Residency, 'domain' | 'baseUrls' | 'realms'>,
  stage: string,
): Readonly<Record<Realm, string>> {
  if (domain === undefined)
    return Object.fromEntries(
      Object.entries(baseUrls ?? {}).map(([realm, said]) => {
        const [url = ''] = listedUrls(said);
        return [realm, baseUrlIn(url) ?? url];
      }),
    );
  return Object.fromEntries(
    realms.map(({ realm }) => [realm, `https://${hostOf(stackOf(realms, realm), stage, domain)}`]),
  );
}

/** Every stage of a domain has hosts of its own. */
export const hostOf = (realm: Realm, stage: string, domain: string): string =>
  stage === 'prod' ? `${realm}.${domain}` : `${realm}.${stage}.${domain}`;

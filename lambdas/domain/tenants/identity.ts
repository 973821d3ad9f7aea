/**
 * The names by which Atlassian means a tenant: how they are learned, and which of several tenants a
 * name means.
 */
import { defined } from '../defined.ts';
import { hasStorableHost } from '../storable.ts';
import type { Adoption, ForgeInstallation, Identity, TenantRecord } from './tenant.ts';

/**
 * A name by which a caller means a tenant. `site` is a cloud id, or the host name of a site whose
 * cloud id we never learned. A host name finds a tenant, but proves nothing: a host name can be
 * given to another site later.
 */
export type TenantName =
  | { readonly kind: 'client'; readonly value: string }
  | { readonly kind: 'installation'; readonly value: string }
  | { readonly kind: 'site'; readonly value: string }
  /**
   * The tenant's id in lower case, where it has capitals; and the app's own id, in lower case. They
   * find tenants that may share a key.
   */
  | { readonly kind: 'folded'; readonly value: string }
  | { readonly kind: 'key'; readonly value: string };

/** Reinstallations by which a tenant is found; of an older one only the id is kept. */
const REMEMBERED = 20;

/** Every name under which a record can be found, besides its own id. */
export function tenantNamesOf(record: TenantRecord): readonly TenantName[] {
  const { tenant, clientKey, tenantKey, installations = [] } = record;
  const site = siteOf(record);
  const folded = tenant.toLowerCase();
  return [
    ...(clientKey === undefined ? [] : [{ kind: 'client', value: clientKey } as const]),
    ...installations.map(({ id }) => ({ kind: 'installation', value: id }) as const),
    ...(site === undefined ? [] : [{ kind: 'site', value: site } as const]),
    ...(folded === tenant ? [] : [{ kind: 'folded', value: folded } as const]),
    ...(tenantKey === undefined ? [] : [{ kind: 'key', value: tenantKey.toLowerCase() } as const]),
  ];
}

/** True where the record has a name that the one before it did not have. */
export function isRenamed(record: TenantRecord, before: TenantRecord | undefined): boolean {
  return tenantNamesOf(record).some((name) => before === undefined || !isCalled(before, name));
}

export const isCalled = (record: TenantRecord, { kind, value }: TenantName): boolean =>
  tenantNamesOf(record).some((name) => name.kind === kind && name.value === value);

/**
 * The cloud id, also where an older record has it only in its installation. Without one it is the
 * host name, which changes when the site is renamed.
 */
function siteOf({ cloudId, installation }: TenantRecord): string | undefined {
  const { cloudId: told, baseUrl } = installation;
  if (cloudId !== undefined) return cloudId;
  return isCloudId(told) ? told.toLowerCase() : hostOf(baseUrl);
}

const productOf = ({ product, installation }: TenantRecord): string | undefined =>
  product ?? (isProduct(installation['productType']) ? installation['productType'] : undefined);

/** Its own, or the one that its installation names. */
export function cloudIdOf({
  cloudId,
  installation: { cloudId: told } = {},
}: Pick<TenantRecord, 'cloudId'> & Partial<Pick<TenantRecord, 'installation'>>):
  | string
  | undefined {
  return cloudId ?? (isCloudId(told) ? told.toLowerCase() : undefined);
}

/**
 * Copies cloud id and product into fields of their own, so that they outlive the installation's
 * facts.
 */
export function withSite(record: TenantRecord): TenantRecord {
  const cloudId = cloudIdOf(record);
  const product = productOf(record);
  return {
    ...record,
    ...defined({ cloudId, product }),
  };
}

/**
 * The one tenant that a site and a product can mean, among all tenants of the site. Tenants that
 * are still installed go before the others. `undefined` where there are several, or none.
 */
export function onlyOneOf(
  found: readonly TenantRecord[],
  product: string | undefined,
): TenantRecord | undefined {
  const meant = found.filter((record) => {
    const known = productOf(record);
    return known === undefined || product === undefined || known === product;
  });
  const installed = meant.filter(
    ({ state, uninstalledIat }) => state !== 'retired' && uninstalledIat === undefined,
  );
  const candidates = installed.length > 0 ? installed : meant;
  return candidates.length === 1 ? candidates[0] : undefined;
}

/**
 * Merges what is known with what was announced; the newer announcement of an installation counts.
 * An installation that an operator has disowned is not learned again, from whichever realm it
 * comes.
 */
export function withIdentity<T extends Identity>(known: T, told: Identity | undefined): T {
  if (told === undefined) return known;
  const adoptions = adoptionsOf(known.adoptions ?? [], told.adoptions ?? []);
  const all = merged(known.installations ?? [], told.installations ?? []).filter(
    ({ id }) => !isDisowned({ adoptions }, id),
  );
  const installations = all.slice(-REMEMBERED);
  const former = formerOf(known, told, all.slice(0, -REMEMBERED)).filter(
    (id) => !isDisowned({ adoptions }, id) && !installations.some((one) => one.id === id),
  );
  const isCloudTold = told.cloudId !== undefined && !isDisowned({ adoptions }, told.cloudId);
  return {
    ...known,
    ...defined({ clientKey: told.clientKey }),
    ...(isCloudTold && { cloudId: told.cloudId }),
    ...defined({ product: told.product }),
    ...(known.tenantKey === undefined && told.tenantKey !== undefined
      ? { tenantKey: told.tenantKey }
      : {}),
    ...(known.installations === undefined && installations.length === 0 ? {} : { installations }),
    ...(known.formerInstallations === undefined && former.length === 0
      ? {}
      : { formerInstallations: former }),
    ...(adoptions.length === 0 ? {} : { adoptions }),
  };
}

/** The adoptions of both lists, each once, in the order of time. */
function adoptionsOf(one: readonly Adoption[], other: readonly Adoption[]): readonly Adoption[] {
  const words = new Map([...one, ...other].map((word) => [JSON.stringify(word), word]));
  return [...words.values()]
    .sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)))
    .slice(-REMEMBERED);
}

/**
 * True where the operators' last word on this installation or cloud id is that it is not the
 * tenant's.
 */
export const isDisowned = ({ adoptions }: Pick<Identity, 'adoptions'>, id: string): boolean =>
  adoptions?.findLast(({ installation, cloudId }) => installation === id || cloudId === id)
    ?.verb === 'disown';

function merged(
  one: readonly ForgeInstallation[],
  other: readonly ForgeInstallation[],
): readonly ForgeInstallation[] {
  const newest = new Map<string, number>();
  for (const { id, iat } of [...one, ...other])
    newest.set(id, Math.max(iat, newest.get(id) ?? iat));
  return [...newest]
    .map(([id, iat]) => ({ id, iat }))
    .sort((a, b) => a.iat - b.iat || (a.id < b.id ? -1 : 1));
}

/** Both sides' former ones, and those that there is no more room for. */
const formerOf = (
  known: Identity,
  told: Identity,
  dropped: readonly ForgeInstallation[],
): readonly string[] => [
  ...new Set([
    ...(known.formerInstallations ?? []),
    ...(told.formerInstallations ?? []),
    ...dropped.map(({ id }) => id),
  ]),
];

export const identityOf = ({
  clientKey,
  installations,
  formerInstallations,
  cloudId,
  product,
  tenantKey,
  adoptions,
}: Identity): Identity =>
  defined({
    clientKey,
    installations,
    formerInstallations,
    cloudId,
    product,
    tenantKey,
    adoptions,
  });

/** True where the record has everything that was announced. */
export const knows = (known: Identity, told: Identity | undefined): boolean =>
  JSON.stringify(identityOf(withIdentity(known, told))) === JSON.stringify(identityOf(known));

export const newestInstallation = ({ installations }: Identity): ForgeInstallation | undefined =>
  installations?.at(-1);

/** When the tenant was last installed, by Connect or by Forge. Epoch seconds. */
export const installedIat = (record: TenantRecord): number =>
  Math.max(record.credentials.iat, ...(record.installations ?? []).map(({ iat }) => iat));

/** No client key begins with `#` (`isClientKey`), so that our ids differ from Atlassian's. */
export const tenantOfInstallation = (id: string): string =>
  `#forge-${id.slice(id.lastIndexOf('/') + 1)}`;

export const isForgeTenantId = (value: unknown): value is string =>
  typeof value === 'string' && /^#forge-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);

export const isForgeOnly = ({ tenant, clientKey }: TenantRecord): boolean =>
  tenant.startsWith('#') && clientKey === undefined;

const INSTALLATION =
  /^ari:cloud:ecosystem::installation\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const isInstallationId = (value: unknown): value is string =>
  typeof value === 'string' && INSTALLATION.test(value);

export const isCloudId = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9A-Za-z-]{8,64}$/.test(value);

export const isProduct = (value: unknown): value is string =>
  typeof value === 'string' && /^[a-z][a-z-]{1,31}$/.test(value);

/** `https://one.atlassian.net/wiki` → `one.atlassian.net`. */
export function hostOf(url: unknown): string | undefined {
  return typeof url === 'string' && hasStorableHost(url)
    ? new URL(url).hostname || undefined
    : undefined;
}

/** Whom Atlassian means: the names a tenant is known by, how they are learned, and which tenant of several is meant. */
import { hasStorableHost } from '../storable.ts';
import type { Adoption, ForgeInstallation, Identity, TenantRecord } from './tenant.ts';

/**
 * By one of these a caller says who it is. `site` is a cloud id, or the host name of a site whose cloud id we never learned;
 * a host name finds a tenant, and proves nothing: names of hosts are given again.
 */
export type TenantName =
  | { readonly kind: 'client'; readonly value: string }
  | { readonly kind: 'installation'; readonly value: string }
  | { readonly kind: 'site'; readonly value: string };

/** Reinstallations that are remembered; an older one is a site of long ago. */
const REMEMBERED = 20;

/** Every name under which a record can be found, besides its own id. */
export function tenantNamesOf(record: TenantRecord): readonly TenantName[] {
  const { clientKey, installations = [] } = record;
  const site = siteOf(record);
  return [
    ...(clientKey === undefined ? [] : [{ kind: 'client', value: clientKey } as const]),
    ...installations.map(({ id }) => ({ kind: 'installation', value: id }) as const),
    ...(site === undefined ? [] : [{ kind: 'site', value: site } as const]),
  ];
}

/** Whether a record has names that the one before it had not. */
export function isRenamed(record: TenantRecord, before: TenantRecord | undefined): boolean {
  return tenantNamesOf(record).some((name) => before === undefined || !isCalled(before, name));
}

export const isCalled = (record: TenantRecord, { kind, value }: TenantName): boolean =>
  tenantNamesOf(record).some((name) => name.kind === kind && name.value === value);

/** The cloud id, also of a record from before we looked for one; without it the host name, which a site rename changes. */
function siteOf({ cloudId, installation }: TenantRecord): string | undefined {
  const { cloudId: told, baseUrl } = installation;
  if (cloudId !== undefined) return cloudId;
  return isCloudId(told) ? told.toLowerCase() : hostOf(baseUrl);
}

const productOf = ({ product, installation }: TenantRecord): string | undefined =>
  product ?? (isProduct(installation['productType']) ? installation['productType'] : undefined);

/** The cloud id and the product as fields of their own, so that they outlive what the installation delivered. */
export function withSite(record: TenantRecord): TenantRecord {
  const { cloudId: told } = record.installation;
  const cloudId = record.cloudId ?? (isCloudId(told) ? told.toLowerCase() : undefined);
  const product = productOf(record);
  return {
    ...record,
    ...(cloudId === undefined ? {} : { cloudId }),
    ...(product === undefined ? {} : { product }),
  };
}

/**
 * The one tenant that a site and a product can mean, of all who are known at the site: whoever is still installed goes
 * before those who are not. Several, or none: nobody.
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
 * What is known and what was announced; the newer announcement of an installation stands. What an operator has disowned is
 * not learned again, from whichever realm it is told.
 */
export function withIdentity<T extends Identity>(known: T, told: Identity | undefined): T {
  if (told === undefined) return known;
  const adoptions = adoptionsOf(known.adoptions ?? [], told.adoptions ?? []);
  const installations = merged(known.installations ?? [], told.installations ?? []).filter(
    ({ id }) => !isDisowned({ adoptions }, id),
  );
  const isCloudTold = told.cloudId !== undefined && !isDisowned({ adoptions }, told.cloudId);
  return {
    ...known,
    ...(told.clientKey === undefined ? {} : { clientKey: told.clientKey }),
    ...(isCloudTold && { cloudId: told.cloudId }),
    ...(told.product === undefined ? {} : { product: told.product }),
    ...(known.tenantKey === undefined && told.tenantKey !== undefined
      ? { tenantKey: told.tenantKey }
      : {}),
    ...(known.installations === undefined && installations.length === 0 ? {} : { installations }),
    ...(adoptions.length === 0 ? {} : { adoptions }),
  };
}

/** Of both lists, each word once, in the order of time. */
function adoptionsOf(one: readonly Adoption[], other: readonly Adoption[]): readonly Adoption[] {
  const words = new Map([...one, ...other].map((word) => [JSON.stringify(word), word]));
  return [...words.values()]
    .sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)))
    .slice(-REMEMBERED);
}

/** The last that an operator said of this installation, or cloud id, is that it is not the tenant's. */
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
    .sort((a, b) => a.iat - b.iat || (a.id < b.id ? -1 : 1))
    .slice(-REMEMBERED);
}

export const identityOf = ({
  clientKey,
  installations,
  cloudId,
  product,
  tenantKey,
  adoptions,
}: Identity): Identity => ({
  ...(clientKey === undefined ? {} : { clientKey }),
  ...(installations === undefined ? {} : { installations }),
  ...(cloudId === undefined ? {} : { cloudId }),
  ...(product === undefined ? {} : { product }),
  ...(tenantKey === undefined ? {} : { tenantKey }),
  ...(adoptions === undefined ? {} : { adoptions }),
});

/** Whether the record says already all that is told. */
export const knows = (known: Identity, told: Identity | undefined): boolean =>
  JSON.stringify(identityOf(withIdentity(known, told))) === JSON.stringify(identityOf(known));

export const newestInstallation = ({ installations }: Identity): ForgeInstallation | undefined =>
  installations?.at(-1);

/** When the tenant was last installed, through whichever door. Epoch seconds. */
export const installedIat = (record: TenantRecord): number =>
  Math.max(record.credentials.iat, ...(record.installations ?? []).map(({ iat }) => iat));

/** `#` begins no client key (`isClientKey`): ids of ours and Atlassian's cannot meet. */
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

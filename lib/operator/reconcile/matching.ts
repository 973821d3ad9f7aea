/**
 * Pure: which tenants Atlassian's list knows, which it does not, and which it says nothing about.
 */
import type { TenantFacts } from '../tenants/tenant-reader.ts';
import type { Entry } from './installations-file.ts';

/**
 * `installed`: the list names it. `gone`: the list would name it, and does not. `doubt`: its host
 * name alone is in the list, or the list names nothing by which the tenant is known.
 */
export type Found = 'installed' | 'gone' | 'doubt';

export interface Match {
  readonly found: Found;
  /** Why, as a clause. */
  readonly says: string;
}

/** Names of sites that are never given again. A host name is: it proves nothing (decision 36). */
const PROOFS = ['clientKey', 'installationId', 'cloudId'] as const;
type Proof = (typeof PROOFS)[number];

const WORDS: Readonly<Record<Proof, string>> = {
  clientKey: 'client key',
  installationId: 'installation id',
  cloudId: 'cloud id',
};

export type Matcher = ReturnType<typeof matcher>;

export function matcher(entries: readonly Entry[]) {
  const by = (name: Proof | 'host') => Map.groupBy(entries, (entry) => entry[name]);
  const index = {
    clientKey: by('clientKey'),
    installationId: by('installationId'),
    cloudId: by('cloudId'),
    host: by('host'),
  };
  /** Only what every entry says can be missed in the list. */
  const complete = PROOFS.filter((name) => entries.every((entry) => entry[name] !== undefined));

  const entriesOf = (tenant: TenantFacts, name: Proof | 'host'): readonly Entry[] =>
    namesOf(tenant, name)
      .flatMap((value) => index[name].get(value) ?? [])
      .filter((entry) => name === 'clientKey' || isOfProduct(entry, tenant));

  return {
    /** Entries that mean this tenant by a name that proves it. */
    entriesOf: (tenant: TenantFacts): readonly Entry[] =>
      PROOFS.flatMap((name) => entriesOf(tenant, name)),
    entriesByHost: (tenant: TenantFacts): readonly Entry[] => entriesOf(tenant, 'host'),

    match(tenant: TenantFacts): Match {
      const proof = PROOFS.find((name) => entriesOf(tenant, name).length > 0);
      if (proof !== undefined)
        return { found: 'installed', says: `the list has its ${WORDS[proof]}` };
      if (entriesOf(tenant, 'host').length > 0)
        return {
          found: 'doubt',
          says: 'the list has its host name alone, which may be another site’s by now',
        };
      const compared = complete.filter((name) => namesOf(tenant, name).length > 0);
      if (compared.length > 0) {
        const words = compared.map((name) => WORDS[name]).join(', nor its ');
        return { found: 'gone', says: `the list does not have its ${words}` };
      }
      return { found: 'doubt', says: 'the list does not say of each entry what it is known by' };
    },
  };
}

/** An installation says itself which product it is in. */
function isOfProduct({ installationId, products }: Entry, { product, installations }: TenantFacts) {
  if (installations?.some(({ id }) => id === installationId)) return true;
  return products === undefined || product === undefined || products.includes(product);
}

function namesOf(tenant: TenantFacts, name: Proof | 'host'): readonly string[] {
  const { clientKey, installations = [], cloudId, host } = tenant;
  switch (name) {
    case 'clientKey': {
      const own = clientKey ?? (tenant.tenant.startsWith('#') ? undefined : tenant.tenant);
      return own === undefined ? [] : [own];
    }
    case 'installationId':
      return installations.map(({ id }) => id);
    case 'cloudId':
      return cloudId === undefined ? [] : [cloudId];
    case 'host':
      return host === undefined ? [] : [host.toLowerCase()];
  }
}

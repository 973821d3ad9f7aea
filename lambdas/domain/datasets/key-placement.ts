/**
 * Whether a tenant's keys can be its own: what is known of it suffices to make them, and no other
 * tenant's keys can be among them.
 */
import { isRehearsalKey } from '../operating/rehearsal.ts';
import type { TenantName } from '../tenants/identity.ts';
import { type Part, partitionsOf } from './dataset.ts';
import { isNoTenants } from './key-declaration.ts';
import { isAround } from './key-overlaps.ts';
import {
  cased,
  delimiterOf,
  formsOf,
  isLegal,
  type KeyForm,
  keyOf,
  type Maker,
  makersOf,
  typeOfMade,
  unknownOf,
  valuesFor,
} from './key-template.ts';
import type { KeyValues } from './key-values.ts';

/** DynamoDB's limit of a partition key. */
const MOST_KEY_BYTES = 2_048;

const TENANT_KEYS = {
  S: 'no text of 1 to 255 printable characters',
  N: 'no whole number of up to 38 digits',
  B: 'no bytes in base64',
} as const;

const SPOKEN = {
  tenant: 'client key',
  cloudId: 'cloud id',
  installation: 'installation id',
  installationUuid: 'installation id',
  tenantKey: 'tenant key',
} as const;
/**
 * The value of the tenant that is not known, as a sentence that names the part; `undefined` where
 * none is missing.
 */
export function unknownIn(parts: readonly Part[], values: KeyValues): string | undefined {
  for (const part of parts) {
    const [of] = unknownOf(part, values);
    if (of !== undefined)
      return `its ${SPOKEN[of]} is not known, and the keys of part "${part.name}" are made of it`;
  }
  return undefined;
}

/**
 * Why no tenant with these values can be placed, as a sentence that names the part. It follows from
 * the form of the values alone, whichever other tenants there are. `undefined` where the tenant can
 * be placed, as far as its values are known.
 */
export function misplacement(parts: readonly Part[], values: KeyValues): string | undefined {
  for (const part of parts)
    for (const form of formsOf(part))
      for (const value of valuesFor(form.of, values)) {
        const says = misplacementBy(part, form, value);
        if (says !== undefined) return `${says} (part "${part.name}")`;
      }
  return undefined;
}

function misplacementBy(part: Part, form: KeyForm, value: string): string | undefined {
  if (form.of === 'tenantKey' && !isLegal(part, form.of, cased(part, value)))
    return `its tenant key is ${TENANT_KEYS[typeOfMade(part)]}`;
  const delimiter = delimiterOf(part);
  if (delimiter !== undefined && value.includes(delimiter))
    return `its ${SPOKEN[form.of]} has ${delimiter} in it, which ends the tenant in partition keys`;
  const key = keyOf(part, form, value);
  const bytes = new TextEncoder().encode(key).length;
  if (bytes > MOST_KEY_BYTES)
    return `its key would have ${bytes} bytes, and DynamoDB takes ${MOST_KEY_BYTES}`;
  if (isNoTenants(part.notOfTenants, key)) return `its key ${key} is declared to be no tenant's`;
  if (isRehearsalKey(part, key)) return `its key ${key} is kept for rehearsals`;
  const owner = makersOf(part, key).find((maker) => isWithin(maker, form));
  return owner && `its key ${key} is also that of a tenant whose ${owner.of} is ${owner.value}`;
}

/**
 * Where two forms give one key, the one with more fixed words has it. With the same words, an
 * installation's id has it before a client key.
 */
function isWithin({ form: inner, of }: Maker, outer: KeyForm): boolean {
  const isSameWords = inner.head === outer.head && inner.tail === outer.tail;
  if (isSameWords) return of === 'installation' && !outer.of.startsWith('installation');
  return isAround(outer, inner);
}

/** By its own id, or by a name that leads to it. */
export type Lookup = { readonly kind: 'tenant'; readonly value: string } | TenantName;

/** Each other tenant that could have a key of this one in the part is found by one of these. */
export function rivalLookups(part: Part, values: KeyValues): readonly Lookup[] {
  const makers = partitionsOf(part, values).flatMap((key) => makersOf(part, key));
  const lookups = makers
    .flatMap((maker) => lookupsOf(part, maker))
    .filter(({ kind, value }) => kind !== 'tenant' || value !== values.tenant);
  const distinct = new Map(lookups.map((lookup) => [JSON.stringify(lookup), lookup]));
  return [...distinct.values()];
}

export function lookupsOf(part: Part, { of, value }: Maker): readonly Lookup[] {
  switch (of) {
    case 'tenant':
      return part.case === 'lower'
        ? [
            { kind: 'tenant', value },
            { kind: 'folded', value },
          ]
        : [{ kind: 'tenant', value }];
    case 'cloudId':
      return [{ kind: 'site', value }];
    case 'installation':
      return [{ kind: 'installation', value }];
    case 'tenantKey':
      return [{ kind: 'key', value: value.toLowerCase() }];
  }
}

/** A key that both tenants have in the part. */
export function sharedKeyIn(part: Part, one: KeyValues, other: KeyValues): string | undefined {
  const keys = new Set(partitionsOf(part, one));
  return partitionsOf(part, other).find((key) => keys.has(key));
}

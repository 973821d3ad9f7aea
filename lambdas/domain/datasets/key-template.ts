/**
 * Templates of partition keys: the text of a tenant's keys, and the tenants for which a key can
 * have been made. A template is text with one placeholder for the tenant, and perhaps one for a
 * shard: `TENANT#{tenant}`, `{tenant}-{shard}`.
 */
import { isTenantId } from '../requests.ts';
import { isInstallationId } from '../tenants/identity.ts';
import type { Discovery } from './discovery.ts';
import type { KeyValues } from './key-values.ts';

/** Values of a tenant that a template may name. */
export const PLACEHOLDERS = [
  'tenant',
  'cloudId',
  'installation',
  'installationUuid',
  'tenantKey',
] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** How the partition keys of a part are made. */
export interface KeyDeclaration {
  /**
   * One template, or several for fixed words around the tenant. Left out: `{tenant}`, or
   * `{tenant}#{shard}`.
   */
  readonly key?: string | readonly string[];
  /** `16`: `00` to `15`. `{ from: 1, to: 9 }`: these numbers, with at least `digits` digits. */
  readonly shards?: number | ShardRange;
  /** The values are in lower case in keys. */
  readonly case?: 'lower';
  /**
   * Type of the partition key; `S` where it is left out. A number, or bytes (base64), can only be
   * the `{tenantKey}`, or an entity's id (`discover` by an attribute).
   */
  readonly keyType?: 'S' | 'N' | 'B';
  /**
   * Where the partition key does not name the tenant alone: what is made is the text of an
   * attribute, or, by its `prefix` instead of `key`, the beginning of the partition keys.
   */
  readonly discover?: Discovery;
  /** In a bucket: the templates of prefixes, instead of `key`. */
  readonly prefix?: string | readonly string[];
}

export interface ShardRange {
  readonly from: number;
  readonly to: number;
  readonly digits?: number;
}

/** A template with its shard filled in: the text before the tenant's value, and after it. */
export interface KeyForm {
  readonly head: string;
  readonly of: Placeholder;
  readonly tail: string;
}

/** A value of some tenant from which a key can have been made. */
export interface Maker {
  readonly of: Exclude<Placeholder, 'installationUuid'>;
  readonly value: string;
  readonly form: KeyForm;
}

export const templatesOf = (declared: KeyDeclaration): readonly string[] => {
  const { key, shards, discover, prefix } = declared;
  if (prefix !== undefined) return typeof prefix === 'string' ? [prefix] : prefix;
  if (discover?.prefix !== undefined) return [discover.prefix];
  if (key !== undefined) return typeof key === 'string' ? [key] : key;
  return [shards === undefined ? '{tenant}' : '{tenant}#{shard}'];
};

/**
 * Texts and placeholders in turn: text, placeholder, text … A brace of no placeholder stays in the
 * text.
 */
export const wordsOf = (template: string): readonly string[] => template.split(/\{([^{}]*)\}/);

/** The shards as they are in keys, in the order of their numbers. */
export function shardNames(shards: KeyDeclaration['shards']): readonly string[] {
  if (shards === undefined) return [];
  const {
    from,
    to,
    digits = 1,
  } = typeof shards === 'number' ? { from: 0, to: shards - 1, digits: 2 } : shards;
  return Array.from({ length: to - from + 1 }, (_, at) => String(from + at).padStart(digits, '0'));
}

/**
 * Every form that a key of the part can have, in a stable order. The templates must have been
 * checked.
 */
export function formsOf(declared: KeyDeclaration): readonly KeyForm[] {
  return templatesOf(declared).flatMap((template) => {
    if (!template.includes('{shard}')) return formOf(template);
    return shardNames(declared.shards).flatMap((shard) =>
      formOf(template.replace('{shard}', shard)),
    );
  });
}

function formOf(template: string): readonly KeyForm[] {
  const [head = '', name, tail = ''] = wordsOf(template);
  const of = PLACEHOLDERS.find((placeholder) => placeholder === name);
  return of === undefined ? [] : [{ head, of, tail }];
}

/**
 * The character that ends the tenant's value where partition keys go on after it; `undefined` where
 * they do not. The declaration must have been checked.
 */
export function delimiterOf(declared: KeyDeclaration): string | undefined {
  if (declared.prefix === undefined && declared.discover?.prefix === undefined) return undefined;
  const [template = ''] = templatesOf(declared);
  return wordsOf(template)[2]?.[0];
}

/**
 * What a partition key of the table begins with, as far as it names a tenant. The whole key where
 * it names none, or where the table has keys that end there.
 */
export function beginningOf(declared: KeyDeclaration, key: string): string {
  const delimiter = delimiterOf(declared);
  const [form] = formsOf(declared);
  if (delimiter === undefined || form === undefined || !key.startsWith(form.head)) return key;
  const end = key.indexOf(delimiter, form.head.length);
  return end >= 0 && key.startsWith(form.tail, end) ? key.slice(0, end + form.tail.length) : key;
}

/**
 * A tenant's keys, each once, in a stable order, to which a further installation adds at the end. A
 * number is its digits, and bytes are base64. A value that is not known of the tenant makes no key:
 * `unknownOf` names it.
 */
export function keysOf(declared: KeyDeclaration, values: KeyValues): readonly string[] {
  const forms = formsOf(declared);
  const isOfInstallation = ({ of }: KeyForm) => of.startsWith('installation');
  const single = forms.filter((form) => !isOfInstallation(form));
  const keys = single.flatMap((form) =>
    valuesFor(form.of, values).map((value) => keyOf(declared, form, value)),
  );
  for (const id of values.installations ?? [])
    for (const form of forms.filter(isOfInstallation))
      for (const value of valuesFor(form.of, { ...values, installations: [id] }))
        keys.push(keyOf(declared, form, value));
  return [...new Set(keys)];
}

export const keyOf = (declared: KeyDeclaration, { head, tail }: KeyForm, value: string): string =>
  `${head}${cased(declared, value)}${tail}`;

export const cased = (declared: KeyDeclaration, value: string): string =>
  declared.case === 'lower' ? value.toLowerCase() : value;

/** Every value of a tenant for this placeholder. */
export function valuesFor(of: Placeholder, values: KeyValues): readonly string[] {
  switch (of) {
    case 'tenant':
      return [values.tenant];
    case 'cloudId':
      return values.cloudId === undefined ? [] : [values.cloudId];
    case 'tenantKey':
      return values.tenantKey === undefined ? [] : [values.tenantKey];
    case 'installation':
      return values.installations ?? [];
    case 'installationUuid':
      return (values.installations ?? []).map(uuidOf);
  }
}

/**
 * The values that the tenant's keys need and that are not known. A tenant without an installation
 * has no keys of one.
 */
export function unknownOf(
  declared: KeyDeclaration,
  values: KeyValues,
): readonly ('cloudId' | 'tenantKey')[] {
  const named = new Set(formsOf(declared).map(({ of }) => of));
  return (['cloudId', 'tenantKey'] as const).filter(
    (of) => named.has(of) && values[of] === undefined,
  );
}

/**
 * The values from which a key can have been made; none where no template of the part makes such
 * keys.
 */
export function makersOf(declared: KeyDeclaration, key: string): readonly Maker[] {
  return formsOf(declared).flatMap((form): readonly Maker[] => {
    const { head, of, tail } = form;
    if (!key.startsWith(head) || !key.endsWith(tail)) return [];
    const value = key.slice(head.length, key.length - tail.length);
    if (head.length + tail.length > key.length || !isLegal(declared, of, value)) return [];
    if (of === 'installationUuid')
      return [{ of: 'installation', value: `${INSTALLATION}${value}`, form }];
    return [{ of, value, form }];
  });
}

const INSTALLATION = 'ari:cloud:ecosystem::installation/';
const uuidOf = (installation: string): string =>
  installation.slice(installation.lastIndexOf('/') + 1);

/** Whether a tenant can have this value, as it is in a key. */
export function isLegal(declared: KeyDeclaration, of: Placeholder, value: string): boolean {
  if (cased(declared, value) !== value) return false;
  switch (of) {
    case 'tenant':
      return isTenantId(value);
    case 'cloudId':
      return /^[0-9A-Za-z-]{8,64}$/.test(value);
    case 'installation':
      return isInstallationId(value);
    case 'installationUuid':
      return isInstallationId(`${INSTALLATION}${value}`);
    case 'tenantKey':
      return isTenantKeyOf(typeOfMade(declared), value);
  }
}

/**
 * The type of what the templates make: the partition key's. In a table that is scanned they make
 * text, and the partition key is an entity's id of whichever type.
 */
export const typeOfMade = ({ keyType = 'S', discover }: KeyDeclaration): 'S' | 'N' | 'B' =>
  discover === undefined ? keyType : 'S';

/** DynamoDB keeps a number in its shortest form, with at most 38 digits. */
function isTenantKeyOf(keyType: KeyDeclaration['keyType'], value: string): boolean {
  if (keyType === 'N') return /^(?:0|[1-9]\d{0,37})$/.test(value);
  if (keyType === 'B') return isBase64(value);
  return /^[^\p{C}\p{Zl}\p{Zp}]{1,255}$/u.test(value) && value === value.trim();
}

/** Only the canonical form, so that the same bytes have one text. */
function isBase64(text: string): boolean {
  try {
    return text !== '' && btoa(atob(text)) === text;
  } catch {
    return false;
  }
}

/** Refuses declarations of keys that are misspelt, or by which two tenants could share a key. */
import { overlapOf } from './key-overlaps.ts';
import {
  formsOf,
  type KeyDeclaration,
  type KeyForm,
  PLACEHOLDERS,
  templatesOf,
  typeOfMade,
  wordsOf,
} from './key-template.ts';

/** A shard's number is the last two digits of a key. */
const MOST_SHARDS = 100;
/** The largest range of numbers: a workflow has no room for more. */
const MOST_IN_RANGE = 500;
/** Leaves room for the longest client key: a key has at most 2,048 bytes. */
const MOST_FIXED_BYTES = 1_700;
const PLACEHOLDER_LIST = PLACEHOLDERS.map((name) => `{${name}}`).join(', ');

type Refused = (says: string) => Error;
type Fields = Readonly<Record<string, unknown>>;

/** Throws a sentence that says what is allowed. The values may have other types than declared. */
export function checkKeys(part: Fields, refused: Refused): void {
  const { key, shards, case: letters, keyType, notOfTenants, discover } = part;
  const { prefix }: Fields = { ...Object(discover) };
  if (keyType !== undefined && keyType !== 'S' && keyType !== 'N' && keyType !== 'B')
    throw refused(`keyType is 'S', 'N' or 'B', not ${shown(keyType)}`);
  if (letters !== undefined && letters !== 'lower')
    throw refused(`case is 'lower' or left out, not ${shown(letters)}`);
  const declared: KeyDeclaration = {
    ...(key !== undefined && { key: checkedTemplates(key, refused) }),
    ...(typeof prefix === 'string' && { key: prefix }),
    ...(shards !== undefined && { shards: checkedShards(shards, refused) }),
    ...(letters !== undefined && { case: letters }),
    ...(keyType !== undefined && { keyType }),
  };
  checkTemplates(declared, refused);
  checkForms(formsOf(declared), refused);
  if (notOfTenants !== undefined) checkNotOfTenants(notOfTenants, declared, refused);
}

function checkedTemplates(key: unknown, refused: Refused): readonly string[] {
  const templates: readonly unknown[] = Array.isArray(key) ? key : [key];
  const isSound = (template: unknown): template is string =>
    typeof template === 'string' && template !== '';
  if (templates.length === 0 || !templates.every(isSound))
    throw refused(
      `key is a template such as 'TENANT#{tenant}', or a list of templates, not ${shown(key)}`,
    );
  return templates;
}

function checkedShards(shards: unknown, refused: Refused): NonNullable<KeyDeclaration['shards']> {
  if (typeof shards !== 'object' || shards === null) {
    const isCount = typeof shards === 'number' && Number.isInteger(shards);
    if (isCount && shards >= 2 && shards <= MOST_SHARDS) return shards;
    throw refused(
      `shards is a whole number from 2 to ${MOST_SHARDS}, not ${shown(shards)}; numbers of another form are { from, to }`,
    );
  }
  const { from, to, digits = 1, ...rest }: Fields = { ...shards };
  const [other] = Object.keys(rest);
  if (other !== undefined)
    throw refused(
      `shards has a field "${other}", which means nothing here; allowed are from, to, digits`,
    );
  const isWhole = (value: unknown): value is number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
  if (!isWhole(from) || !isWhole(to) || to <= from || to - from >= MOST_IN_RANGE)
    throw refused(
      `shards goes from a whole number to a greater one, up to ${MOST_IN_RANGE} of them, not ${shown(shards)}`,
    );
  if (!isWhole(digits) || digits < 1 || digits > 10)
    throw refused(`shards.digits is a whole number from 1 to 10, not ${shown(digits)}`);
  return { from, to, digits };
}

function checkTemplates(declared: KeyDeclaration, refused: Refused): void {
  const { key, shards, case: letters } = declared;
  const keyType = typeOfMade(declared);
  const templates = templatesOf(declared);
  for (const template of templates) checkTemplate(template, declared, refused);
  if (new Set(templates).size !== templates.length) throw refused('key has a template twice');
  const isSharded = templates.some((template) => template.includes('{shard}'));
  if (shards !== undefined && !isSharded)
    throw refused('it has shards, and no template of its key has {shard}');
  if (letters === 'lower' && templates.some(hasCapitals))
    throw refused("case is 'lower', and its key has capital letters");
  if (keyType === 'S') return;
  if (templates.length !== 1 || templates[0] !== '{tenantKey}')
    throw refused(
      `keyType is '${keyType}': ${keyType === 'N' ? 'a number' : 'bytes'} can only be the app’s own id, key: '{tenantKey}', not ${shown(key)}`,
    );
  if (letters !== undefined) throw refused(`case is for keys that are text, not '${keyType}'`);
}

const hasCapitals = (template: string): boolean =>
  wordsOf(template).some((word, at) => at % 2 === 0 && word !== word.toLowerCase());

function checkTemplate(template: string, { shards }: KeyDeclaration, refused: Refused): void {
  const words = wordsOf(template);
  const fixed = words.filter((_, at) => at % 2 === 0);
  const names = words.filter((_, at) => at % 2 === 1);
  const known: readonly string[] = [...PLACEHOLDERS, 'shard'];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw refused(
      `key ${shown(template)} has {${unknown}}, which means nothing here; there are ${PLACEHOLDER_LIST} and {shard}`,
    );
  if (/[{}]/.test(fixed.join('')))
    throw refused(`key ${shown(template)} has a brace that belongs to no placeholder`);
  const tenants = names.filter((name) => name !== 'shard');
  if (tenants.length !== 1)
    throw refused(
      `key ${shown(template)} has ${tenants.length === 0 ? 'no placeholder' : 'more than one placeholder'} for the tenant: it has one of ${PLACEHOLDER_LIST}`,
    );
  const places = names.length - tenants.length;
  if (places > 1) throw refused(`key ${shown(template)} has {shard} more than once`);
  if (places === 1 && shards === undefined)
    throw refused(`key ${shown(template)} has {shard}, and shards is not declared`);
  if (new TextEncoder().encode(fixed.join('')).length > MOST_FIXED_BYTES)
    throw refused(
      `key ${shown(template)} has more than ${MOST_FIXED_BYTES} bytes beside the tenant: a key has 2,048 at most`,
    );
}

/**
 * Checks that two keys of one tenant differ, and that usual names of two tenants never give one
 * key.
 */
function checkForms(forms: readonly KeyForm[], refused: Refused): void {
  for (const [at, one] of forms.entries()) {
    const mixed = forms.slice(at + 1).find((other) => {
      const overlap = overlapOf(one, other);
      return overlap === 'mixed' || overlap === 'same';
    });
    if (mixed !== undefined)
      throw refused(
        `two tenants can have one key by ${sayForm(one)} and ${sayForm(mixed)}: put a delimiter such as # between the tenant and what stands beside it`,
      );
  }
}

export const sayForm = ({ head, of, tail }: KeyForm): string => `'${head}{${of}}${tail}'`;

function checkNotOfTenants(patterns: unknown, declared: KeyDeclaration, refused: Refused): void {
  const list: readonly unknown[] = Array.isArray(patterns) ? patterns : [];
  const isSound = (pattern: unknown): pattern is string =>
    typeof pattern === 'string' && /^[^*]+\*?$/.test(pattern);
  if (list.length === 0 || !list.every(isSound))
    throw refused(
      `notOfTenants lists partition keys such as 'SETTINGS', or their beginnings such as 'VERSION#*', not ${shown(patterns)}`,
    );
  for (const pattern of list.filter((one) => one.endsWith('*'))) {
    const fixed = pattern.slice(0, -1);
    const hidden = formsOf(declared).find(
      ({ head }) => head.startsWith(fixed) || (head === '' && !/[^0-9A-Za-z]/.test(fixed)),
    );
    if (hidden !== undefined)
      throw refused(
        `notOfTenants has ${shown(pattern)}, which hides keys of tenants, made by ${sayForm(hidden)}`,
      );
  }
}

/** Whether a key is declared to belong to no tenant. */
export const isNoTenants = (notOfTenants: readonly string[] | undefined, key: string): boolean =>
  (notOfTenants ?? []).some((pattern) =>
    pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern,
  );

const shown = (value: unknown): string =>
  typeof value === 'function' ? 'a function' : String(JSON.stringify(value) ?? value).slice(0, 60);

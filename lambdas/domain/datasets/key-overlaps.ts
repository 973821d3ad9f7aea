/**
 * Decides whether two forms of keys can give the same key. If they could, items of two tenants
 * would have it, and a move of one tenant would copy and delete items of the other.
 */
import type { KeyForm, Placeholder } from './key-template.ts';

/**
 * - `apart`: no two values give one key.
 * - `within`: only a value of `outer` that contains the fixed words of the other form, which is
 *   rare: such a tenant is refused.
 * - `mixed`: usual values of two tenants can give one key.
 * - `same`: the forms are the same.
 */
export type Overlap = 'apart' | 'within' | 'mixed' | 'same';

/**
 * A pattern for each character of a value, one that every value contains, and the shortest and
 * longest length.
 */
interface Alphabet {
  readonly all: RegExp;
  readonly has?: string;
  readonly least: number;
  readonly most: number;
}

const ALPHABETS: Readonly<Record<Placeholder, Alphabet>> = {
  tenant: { all: /^[!-~]*$/, least: 1, most: 255 },
  cloudId: { all: /^[0-9A-Za-z-]*$/, least: 8, most: 64 },
  installation: { all: /^[0-9a-z:/-]*$/, has: ':', least: 70, most: 70 },
  installationUuid: { all: /^[0-9a-f-]*$/, has: '-', least: 36, most: 36 },
  tenantKey: { all: /^[^\p{C}\p{Zl}\p{Zp}]*$/u, least: 1, most: 255 },
};

/** Whether every value of the placeholder has this character in it. */
export const alwaysHolds = (of: Placeholder, character: string): boolean =>
  ALWAYS[of]?.includes(character) === true;

/** `ari:cloud:ecosystem::installation/` and a UUID. A cloud id is a UUID, as far as we know. */
const ALWAYS: Partial<Record<Placeholder, string>> = {
  cloudId: '-',
  installation: ':/-',
  installationUuid: '-',
};

export function overlapOf(one: KeyForm, other: KeyForm): Overlap {
  const isBeside = !isPrefix(one.head, other.head) && !isPrefix(other.head, one.head);
  const isBehind = !isSuffix(one.tail, other.tail) && !isSuffix(other.tail, one.tail);
  if (isBeside || isBehind) return 'apart';
  if (one.head === other.head && one.tail === other.tail) return overlapOfValues(one.of, other.of);
  if (isAround(one, other)) return overlapAround(one, other);
  if (isAround(other, one)) return overlapAround(other, one);
  return overlapAcross(one, other);
}

const isPrefix = (short: string, long: string): boolean => long.startsWith(short);
const isSuffix = (short: string, long: string): boolean => long.endsWith(short);

/** Whether a value of `outer` can contain the other form's words and its value. */
export const isAround = (outer: KeyForm, inner: KeyForm): boolean =>
  isPrefix(outer.head, inner.head) && isSuffix(outer.tail, inner.tail);

/**
 * For the same words around another value. An installation's id is recognised by its form; a cloud
 * id may also be a client key.
 */
function overlapOfValues(one: Placeholder, other: Placeholder): Overlap {
  if (one === other) return 'same';
  if (!canHold(one, '', other, '') || !canHold(other, '', one, '')) return 'apart';
  return one === 'installation' || other === 'installation' ? 'within' : 'mixed';
}

function overlapAround(outer: KeyForm, inner: KeyForm): Overlap {
  const before = inner.head.slice(outer.head.length);
  const after = inner.tail.slice(0, inner.tail.length - outer.tail.length);
  if (!canHold(outer.of, before, inner.of, after)) return 'apart';
  return /[^0-9A-Za-z]/.test(before + after) ? 'within' : 'mixed';
}

/**
 * Whether some value of `outer` consists of a value of `inner`, with these words before and after
 * it.
 */
function canHold(outer: Placeholder, before: string, inner: Placeholder, after: string): boolean {
  const { all, most } = ALPHABETS[outer];
  const { has = '', least } = ALPHABETS[inner];
  return all.test(before + has + after) && before.length + least + after.length <= most;
}

/**
 * For forms of which each has more words on one side: the first value ends with the other's tail,
 * and the second begins with the first's head.
 */
function overlapAcross(one: KeyForm, other: KeyForm): Overlap {
  const [first, second] = one.head.length < other.head.length ? [one, other] : [other, one];
  const before = second.head.slice(first.head.length);
  const after = first.tail.slice(0, first.tail.length - second.tail.length);
  const beginning = ALPHABETS[first.of];
  const end = ALPHABETS[second.of];
  const isBegun = beginning.least < before.length || beginning.all.test(before);
  const isEnded = end.least < after.length || end.all.test(after);
  return isBegun && isEnded ? 'mixed' : 'apart';
}

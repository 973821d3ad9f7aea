/**
 * The physical places of parts. A move between two realms that shared a table would empty it: the
 * purge of the source would delete what was just copied. So every place is compared with every
 * other.
 */
import type { Realm } from '../realm.ts';
import type { Part } from './dataset.ts';
import { sayForm } from './key-declaration.ts';
import { overlapOf } from './key-overlaps.ts';
import { formsOf } from './key-template.ts';
import { KINDS, type Kind, kindOf } from './kinds.ts';

/**
 * A table or bucket of a realm. All are in one account, so that kind, region and name identify
 * them.
 */
export interface PhysicalPlace {
  readonly realm: Realm;
  readonly region: string;
  readonly name: string;
  /** The part that it belongs to; absent for the tables of tenants and of migrations. */
  readonly part?: Part;
}

/**
 * A sentence about the first two places that are one, or about an invalid name; `undefined` where
 * there is none.
 */
export function clashAmong(places: readonly PhysicalPlace[]): string | undefined {
  const taken = new Map<string, readonly PhysicalPlace[]>();
  for (const place of places) {
    const { name, realm, region } = place;
    const kind = kindOfPlace(place);
    // An ARN could name another account's.
    if (!kind.isName.test(name))
      return `${called(place)} in realm ${realm} is called "${name}": ${kind.nameRule}`;
    const id = `${kind.place} ${region}/${name}`;
    const others = taken.get(id) ?? [];
    const clash = others.map((other) => clashOf(other, place)).find((says) => says !== undefined);
    if (clash !== undefined) return clash;
    taken.set(id, [...others, place]);
  }
  return undefined;
}

/** Our own places are tables. */
const kindOfPlace = ({ part }: PhysicalPlace): Kind<Part> =>
  part === undefined ? KINDS.dynamodb : kindOf(part);

function clashOf(one: PhysicalPlace, other: PhysicalPlace): string | undefined {
  const { name, region } = one;
  const { place, nameField } = kindOfPlace(one);
  if (one.realm !== other.realm)
    return `${called(one)} in realm ${one.realm} and ${called(other)} in realm ${other.realm} are one ${place}, ${name} in ${region}: a move between these realms would delete what it has just copied; let ${nameField} name the realm`;
  if (one.part === undefined || other.part === undefined)
    return `${called(one)} and ${called(other)} in realm ${one.realm} are one ${place}, ${name}: give the part a table of its own`;
  return clashOfParts(one.part, other.part, `in one ${place}, ${name} in realm ${one.realm}`);
}

/**
 * Two parts can share a table if their keys are made so that no key of one can be a key of the
 * other, whichever tenants they are made of.
 */
function clashOfParts(one: Part, other: Part, are: string): string | undefined {
  const { place, formOf, formWords, mixOf } = kindOf(one);
  const both = `part "${one.name}" and part "${other.name}" are ${are}`;
  if (one.discover !== undefined || other.discover !== undefined)
    return `${both}, of which one is scanned: give it a table of its own`;
  const forms = formsOf(other);
  const mixed = formsOf(one).flatMap((form) => {
    const like = forms.find((another) => overlapOf(form, another) !== 'apart');
    return like === undefined ? [] : [[form, like] as const];
  })[0];
  if (mixed !== undefined)
    return `${both}: a key of one tenant in the first, by ${sayForm(mixed[0])}, can be a key of another tenant in the second, by ${sayForm(mixed[1])}; give each part a ${place} of its own, or keys that begin differently`;
  const nested = mixOf(one, other);
  if (nested !== undefined) return `${both}: ${nested}`;
  const hidden = hiddenBy(one, other) ?? hiddenBy(other, one);
  if (hidden !== undefined) return `${both}: ${hidden}`;
  if (formOf(one) !== formOf(other))
    return `${both}, and they declare it differently: ${formWords}`;
  return undefined;
}

/** What one part declares to be no tenant's can be a key of the other. */
function hiddenBy({ name, notOfTenants = [] }: Part, other: Part): string | undefined {
  for (const pattern of notOfTenants) {
    const fixed = pattern.replace(/\*$/, '');
    const form = formsOf(other).find(
      ({ head }) => head.startsWith(fixed) || fixed.startsWith(head),
    );
    if (form !== undefined)
      return `notOfTenants of "${name}" has ${pattern}, which can be a key of "${other.name}", by ${sayForm(form)}`;
  }
  return undefined;
}

const called = ({ part, name }: PhysicalPlace): string =>
  part === undefined ? `our own table ${name}` : `part "${part.name}"`;

/**
 * The physical places of tables. A move between two realms that shared a table would empty it: the
 * purge of the source would delete what was just copied. So every place is compared with every
 * other.
 */
import type { Realm } from '../realm.ts';
import type { Part } from './dataset.ts';

/** A table of a realm. All are in one account, so that region and name identify them. */
export interface PhysicalPlace {
  readonly realm: Realm;
  readonly region: string;
  readonly table: string;
  /** The part that it belongs to; absent for the tables of tenants and of migrations. */
  readonly part?: Part;
}

/** DynamoDB's rule for names of tables. An ARN could name another account's. */
const TABLE_NAME = /^[a-zA-Z0-9_.-]{3,255}$/;

/**
 * A sentence about the first two places that are one, or about an invalid name; `undefined` where
 * there is none.
 */
export function clashAmong(places: readonly PhysicalPlace[]): string | undefined {
  const taken = new Map<string, PhysicalPlace>();
  for (const place of places) {
    const { table, realm, region } = place;
    if (!TABLE_NAME.test(table))
      return `${called(place)} in realm ${realm} is called "${table}": the name of a table is 3 to 255 letters, digits, dashes, dots and underscores`;
    const other = taken.get(`${region}/${table}`);
    if (other !== undefined) return clashOf(other, place);
    taken.set(`${region}/${table}`, place);
  }
  return undefined;
}

function clashOf(one: PhysicalPlace, other: PhysicalPlace): string {
  const { table, region } = one;
  if (one.realm !== other.realm)
    return `${called(one)} in realm ${one.realm} and ${called(other)} in realm ${other.realm} are one table, ${table} in ${region}: a move between these realms would delete what it has just copied; let tableName name the realm`;
  if (one.part === undefined || other.part === undefined)
    return `${called(one)} and ${called(other)} in realm ${one.realm} are one table, ${table}: give the part a table of its own`;
  return `${called(one)} and ${called(other)} are in one table, ${table} in realm ${one.realm}: a key of one tenant in the first can be a key of another tenant in the second; give each part a table of its own`;
}

const called = ({ part, table }: PhysicalPlace): string =>
  part === undefined ? `our own table ${table}` : `part "${part.name}"`;

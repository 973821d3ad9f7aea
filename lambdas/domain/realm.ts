/**
 * Realms, which are the locations that an Atlassian admin can choose, and the stacks that serve
 * them.
 */

/** Lower-case name of a realm: `us`, `de`, `eu`… Also names the stack that serves it. */
export type Realm = string;

/** One row per realm. Adding a realm is adding a row. */
export interface RealmRow {
  readonly realm: Realm;
  /** AWS region of the stack that serves this realm. */
  readonly region: string;
  /**
   * The realm whose stack serves this one too. Where a vendor serves EU and DE from one stack, they
   * are still two realms for Atlassian, and a move between them is a recorded no-op.
   */
  readonly servedBy?: Realm;
  /**
   * Set `true` when the realm's first deployment in `prod` has succeeded. Its stack and its tables
   * are then protected from deletion. Not before: a protected table cannot be deleted when a first
   * deployment is rolled back.
   */
  readonly isProtected?: boolean;
}

/** The rows that have a stack of their own. */
export function stackRows(rows: readonly RealmRow[]): readonly RealmRow[] {
  return rows.filter((row) => row.servedBy === undefined);
}

/** The realm a `location` names (compared without case), or `undefined` where no row serves it. */
export function realmOfLocation(rows: readonly RealmRow[], location: string): Realm | undefined {
  const wanted = location.toLowerCase();
  return rows.find((row) => row.realm === wanted)?.realm;
}

/** The realm whose stack serves `realm`: itself, unless its row says `servedBy`. */
export function stackOf(rows: readonly RealmRow[], realm: Realm): Realm {
  return rows.find((row) => row.realm === realm)?.servedBy ?? realm;
}

export function regionOf(rows: readonly RealmRow[], realm: Realm): string {
  const row = rows.find((candidate) => candidate.realm === realm);
  if (row === undefined) throw new Error(`no realm is called ${realm}`);
  return row.region;
}

/** The AWS partition of a region: the second word of its ARNs, and the host of its console. */
export function partitionOf(region: string): { readonly name: string; readonly console: string } {
  if (region.startsWith('cn-')) return { name: 'aws-cn', console: 'console.amazonaws.cn' };
  if (region.startsWith('us-gov-'))
    return { name: 'aws-us-gov', console: 'console.amazonaws-us-gov.com' };
  return { name: 'aws', console: 'console.aws.amazon.com' };
}

/** DATA: which of a local host's ports is what, counted from the first. Whoever talks to it from outside goes by this. */
import { type Realm, type RealmRow, stackRows } from '../lambdas/domain/realm.ts';

export const DEFAULT_PORT = 4100;

/** The realms follow on DynamoDB, in the order of the configuration, and then what serves all of them. */
export function tcpPortsFrom(first: number, rows: readonly RealmRow[]) {
  const realms = stackRows(rows);
  const next = first + 1 + realms.length;
  return {
    dynamoDb: first,
    realm: (realm: Realm): number => first + 1 + realms.findIndex((row) => row.realm === realm),
    page: next,
    stepFunctions: next + 1,
    functions: next + 2,
    installKeys: next + 3,
    keys: next + 4,
  };
}

/** How many a host takes in all. */
export const tcpPortCount = (rows: readonly RealmRow[]): number => stackRows(rows).length + 6;

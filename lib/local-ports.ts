/**
 * DATA: the TCP ports of a local host, counted from the first. Clients of the host use this list.
 */
import { type Realm, type RealmRow, stackRows } from '../lambdas/domain/realm.ts';

export const DEFAULT_PORT = 4100;

/**
 * DynamoDB has the first port, the realms the next ones in the order of the configuration, then
 * follow those that serve all realms.
 */
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
    objects: next + 5,
  };
}

/** How many ports a host takes. */
export const tcpPortCount = (rows: readonly RealmRow[]): number => stackRows(rows).length + 7;

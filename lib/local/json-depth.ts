/**
 * Limits how deep a JSON value is nested, because recursive code would overflow its stack on a
 * deeper one.
 */

/** Stops at `depth`, so that it cannot overflow itself. */
export function isDeeperThan(depth: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  return Object.values(value).some((inner) => isDeeperThan(depth - 1, inner));
}

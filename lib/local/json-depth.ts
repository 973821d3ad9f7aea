/** How deep a JSON value may be nested: what is deeper would overflow the stack of whatever walks through it. */

/** Stops at that depth, so that it never overflows itself. */
export function isDeeperThan(depth: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  return Object.values(value).some((inner) => isDeeperThan(depth - 1, inner));
}

/**
 * Freezes records that are kept in memory, so that all readers can get the same object. The entries
 * of a map, and bytes, cannot be frozen; no code here writes to either.
 */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value) || Object.isFrozen(value)) return value;
  for (const inner of value instanceof Map ? value.values() : Object.values(value)) frozen(inner);
  return Object.freeze(value);
}

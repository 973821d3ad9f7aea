/**
 * What is kept in memory can no longer be changed, by whoever wrote it or reads it: so all of them may be given the very
 * same one. The entries of a map, and bytes, cannot be frozen: nobody here writes to either.
 */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value) || Object.isFrozen(value)) return value;
  for (const inner of value instanceof Map ? value.values() : Object.values(value)) frozen(inner);
  return Object.freeze(value);
}

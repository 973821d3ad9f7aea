/** The order of keys in a bucket: by the bytes of their UTF-8. */

/** Negative, zero or positive. */
export function compareKeys(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at += 1) {
    const [a, b] = [one.charCodeAt(at), other.charCodeAt(at)];
    if (a !== b) return rank(a) - rank(b);
  }
  return one.length - other.length;
}

/** Surrogates stand for characters beyond U+FFFF, whose UTF-8 comes after that of U+E000…U+FFFF. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** A sorted set of keys. */
export function orderedKeys() {
  const keys: string[] = [];
  /** The place of the first key that is not before this one. */
  function placeOf(key: string): number {
    let [low, high] = [0, keys.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(keys[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  return {
    placeOf,
    at: (place: number): string | undefined => keys[place],
    add(key: string): void {
      const place = placeOf(key);
      if (keys[place] !== key) keys.splice(place, 0, key);
    },
    remove(key: string): void {
      const place = placeOf(key);
      if (keys[place] === key) keys.splice(place, 1);
    },
  };
}

export type OrderedKeys = ReturnType<typeof orderedKeys>;

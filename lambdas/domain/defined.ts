/** Objects without fields that are `undefined`. */

type Optional<T> = {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};
type Required<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] };

/**
 * The fields that have a value. A field that is `undefined` is left out:
 * `exactOptionalPropertyTypes` tells it apart from one that is absent, and DynamoDB and JSON do,
 * too. `{ ...defined({ cursor }) }` has a cursor, or no such field.
 */
export function defined<T extends object>(fields: T): Optional<T> & Required<T> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Optional<T> & Required<T>;
}

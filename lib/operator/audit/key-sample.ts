/** A sample of the keys of a part's table or bucket, and the sentence that reports it. */
import type { Realm } from '../../../lambdas/domain/realm.ts';

/** What a sample of a part's partition keys, or prefixes, in one realm has shown. */
export interface KeySample {
  readonly realm: Realm;
  readonly part: string;
  /** How many different ones were read. */
  readonly keys: number;
  /** How many of them belong to no tenant that a realm knows. */
  readonly strange: number;
  /** How many of those can have been made by no declared template. */
  readonly unmade: number;
  /** Up to three forms of strange keys. A tenant's name in a key is written `{tenant}`. */
  readonly shapes: readonly string[];
}

export function sayStrange({ keys, strange, unmade, shapes }: KeySample): string {
  const found = `${strange} of ${keys} keys in the sample belong to no tenant that a realm knows, such as ${shapes.join(', ')}`;
  return unmade === 0 ? found : `${found}; ${unmade} of them are made by no declared template`;
}

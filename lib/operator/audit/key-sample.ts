/** What a look at a few partition keys of a part's table has come to. */
import type { Realm } from '../../../lambdas/domain/realm.ts';

/** What a few keys of a part's table in one realm come to. */
export interface KeySample {
  readonly realm: Realm;
  readonly part: string;
  /** Partition keys that were looked at, each once. */
  readonly keys: number;
  /** Those of them that are no key of a tenant that any realm knows. */
  readonly strange: number;
  /** What strange keys look like, up to three; a tenant's name that is in one is written `{tenant}`. */
  readonly shapes: readonly string[];
}

export const sayStrange = ({ keys, strange, shapes }: KeySample): string =>
  `${strange} of ${keys} keys that were looked at belong to no tenant that a realm knows, such as ${shapes.join(', ')}`;

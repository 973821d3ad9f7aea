/** One part kind over all kinds of storage: each range goes to the kind of its part. */
import type { Part, Range } from '../domain/datasets/dataset.ts';
import { NO_OBSTACLES } from '../domain/planning/obstacles.ts';
import type { PartKind } from '../ports.ts';

export type PartKinds = { readonly [kind in Part['kind']]: PartKind };

export function partKindOf(kinds: PartKinds, parts: readonly Part[]): PartKind {
  const byName = new Map(parts.map(({ name, kind }) => [name, kinds[kind]]));
  function kindFor({ part }: Range): PartKind {
    const kind = byName.get(part);
    if (kind === undefined) throw new Error(`no part is called ${part}`);
    return kind;
  }
  return {
    copy: (range, ...rest) => kindFor(range).copy(range, ...rest),
    digest: (range, ...rest) => kindFor(range).digest(range, ...rest),
    restore: (range, ...rest) => kindFor(range).restore(range, ...rest),
    purge: (range, ...rest) => kindFor(range).purge(range, ...rest),
    isEmpty: (range, ...rest) => kindFor(range).isEmpty(range, ...rest),
    size: (range, ...rest) => kindFor(range).size(range, ...rest),
    obstacles: async (range, ...rest) =>
      (await kindFor(range).obstacles?.(range, ...rest)) ?? NO_OBSTACLES,
    oversize: async (range, realm) => kindFor(range).oversize?.(range, realm),
    differences: (range, ...rest) => kindFor(range).differences(range, ...rest),
  };
}

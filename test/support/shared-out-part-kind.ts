/**
 * A part kind that works on a range of the contract as a workflow works on the segments of a table:
 * on one after the other, each a range of its own.
 */
import type { Range } from '../../lambdas/domain/datasets/dataset.ts';
import { type Digest, EMPTY_DIGEST, plus, total } from '../../lambdas/domain/datasets/digest.ts';
import type { RangeSize } from '../../lambdas/domain/datasets/size.ts';
import type { Checkpoint, PartKind } from '../../lambdas/ports.ts';
import { last } from './part-kind-suite.ts';

const NOTHING: Checkpoint = { done: false, digest: EMPTY_DIGEST, changed: 0 };

/** `rangesOf` makes the ranges that stand for one of the contract. */
export function sharedOutPartKind(
  kind: PartKind,
  rangesOf: (range: Range) => readonly Range[],
): PartKind {
  /** A cursor is the number of the range at work and the checkpoint before it. */
  async function* each(
    range: Range,
    from: Checkpoint | undefined,
    run: (one: Range, from: Checkpoint | undefined) => AsyncIterable<Checkpoint>,
  ): AsyncGenerator<Checkpoint> {
    if (from?.done) return yield from;
    const ranges = rangesOf(range);
    const [first, inner] = JSON.parse(from?.cursor ?? '[0,null]');
    let before = from ?? NOTHING;
    for (const [at, one] of ranges.entries()) {
      if (at < first) continue;
      const start = at === first && inner !== null ? { ...NOTHING, cursor: inner } : undefined;
      const end = await last(run(one, start));
      const digest = sumOf(before.digest, end.digest);
      const changed = before.changed + end.changed;
      const isLast = at === ranges.length - 1;
      const cursor = end.done ? [at + 1, null] : [at, end.cursor];
      before =
        end.done && isLast
          ? { done: true, digest, changed }
          : { done: false, digest, changed, cursor: JSON.stringify(cursor) };
      yield before;
      if (!end.done) return;
    }
  }

  return {
    copy: (range, source, target, horizon, from, until, ...rest) =>
      each(range, from, (one, start) =>
        kind.copy(one, source, target, horizon, start, until, ...rest),
      ),
    digest: (range, realm, horizon, from, until, beside) =>
      each(range, from, (one, start) => kind.digest(one, realm, horizon, start, until, beside)),
    restore: (range, source, target, horizon, from, until, ...rest) =>
      each(range, from, (one, start) =>
        kind.restore(one, source, target, horizon, start, until, ...rest),
      ),
    purge: (range, realm, from, until, rateLimit) =>
      each(range, from, (one, start) => kind.purge(one, realm, start, until, rateLimit)),
    async isEmpty(range, realm) {
      for (const one of rangesOf(range)) if (!(await kind.isEmpty(one, realm))) return false;
      return true;
    },
    async size(range, realm, until) {
      const sizes: RangeSize[] = [];
      for (const one of rangesOf(range)) sizes.push(await kind.size(one, realm, until));
      const of = (what: 'items' | 'expired' | 'bytes') =>
        sizes.reduce((sum, size) => sum + size[what], 0);
      const complete = sizes.every((size) => size.complete);
      return { items: of('items'), expired: of('expired'), bytes: of('bytes'), complete };
    },
    async differences(range, source, target, horizon, limit) {
      const found = [];
      for (const one of rangesOf(range))
        found.push(...(await kind.differences(one, source, target, horizon, limit)));
      return found.sort((one, other) => (one.key < other.key ? -1 : 1)).slice(0, limit);
    },
  };
}

export const sumOf = (one: Digest, other: Digest): Digest => {
  const { count: items, sum } = plus(total(one), total(other));
  const lasting = plus(one.lasting, other.lasting);
  return { items, sum, lasting, bytes: one.bytes + other.bytes };
};

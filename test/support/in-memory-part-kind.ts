/** The part kind over plain maps, for tests of everything above it. */

import {
  encodeItem,
  isLive,
  itemDigest,
  sizeOfItem,
} from '../../lambdas/adapters/dataset/item-encoding.ts';
import {
  compareKeys,
  cursorOf,
  type Item,
  partitionIn,
  printableKey,
  startKey,
} from '../../lambdas/adapters/dataset/item-key.ts';
import type { DynamoDbPart, Part, Range } from '../../lambdas/domain/datasets/dataset.ts';
import { EMPTY_DIGEST, withItems } from '../../lambdas/domain/datasets/digest.ts';
import { tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import { NOTHING_COUNTED } from '../../lambdas/domain/datasets/size.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import type { Checkpoint, Clock, Difference, Horizon, PartKind } from '../../lambdas/ports.ts';
import { frozen } from './frozen.ts';

export interface InMemoryDatasets {
  readonly kind: PartKind;
  put(realm: Realm, part: string, ...items: readonly Item[]): void;
  remove(realm: Realm, part: string, ...items: readonly Item[]): void;
  /** In the order of the keys, expired items included. */
  read(realm: Realm, part: string, partition: string): readonly Item[];
  /** Changes after each write in the realm. */
  revision(realm: Realm): number;
}

interface InMemoryOptions {
  /** Tables only. */
  readonly parts: readonly Part[];
  readonly clock: Clock;
  /** Items between two checkpoints. */
  readonly pageItems?: number;
  /**
   * Called between the read and the writes of each page that is copied by eventually consistent
   * reads.
   */
  readonly beforeWritesAhead?: ((range: Range, target: Realm) => Promise<void>) | undefined;
  /** Items that an eventually consistent read of the two sides sees as equal. */
  readonly isStale?: ((item: Item) => boolean) | undefined;
}

/** The result for one key: the item that the digest counts, and whether something was written. */
interface Visit {
  readonly seen?: Item | undefined;
  readonly changed?: boolean;
}

export function inMemoryPartKind({
  parts,
  clock,
  pageItems = 100,
  beforeWritesAhead,
  isStale = () => false,
}: InMemoryOptions): InMemoryDatasets {
  /** Realm, part and partition, one line each; then the sort key. */
  const partitions = new Map<string, Map<string, Item>>();
  const revisions = new Map<Realm, number>();
  const revision = (realm: Realm): number => revisions.get(realm) ?? 0;

  function itemsOf(realm: Realm, part: string, partition: string): Map<string, Item> {
    const id = `${realm}\n${part}\n${partition}`;
    const items = partitions.get(id) ?? new Map<string, Item>();
    partitions.set(id, items);
    return items;
  }

  function partCalled(name: string): DynamoDbPart {
    const part = tablesOf(parts).find((candidate) => candidate.name === name);
    if (part === undefined) throw new Error(`no part is called ${name}`);
    return part;
  }

  function holder(realm: Realm, name: string, item: Item): Map<string, Item> {
    const partition = partitionIn(partCalled(name), item);
    if (partition === undefined) throw new Error(`an item of ${name} has no partition key`);
    return itemsOf(realm, name, partition);
  }

  const put = (realm: Realm, name: string, ...items: readonly Item[]): void => {
    revisions.set(realm, revision(realm) + 1);
    for (const item of items)
      holder(realm, name, item).set(cursorOf(partCalled(name), item), frozen(item));
  };
  const remove = (realm: Realm, name: string, ...items: readonly Item[]): void => {
    revisions.set(realm, revision(realm) + 1);
    for (const item of items) holder(realm, name, item).delete(cursorOf(partCalled(name), item));
  };
  const read = (realm: Realm, name: string, partition: string): readonly Item[] =>
    [...itemsOf(realm, name, partition).values()].sort((a, b) =>
      compareKeys(partCalled(name), a, b),
    );

  /** The keys that any of the realms has after the cursor, at the time of the call. */
  function keysAfter(
    range: Range,
    realms: readonly Realm[],
    cursor: string | undefined,
  ): readonly string[] {
    const part = partCalled(range.part);
    const start = cursor === undefined ? undefined : startKey(part, range.partition, cursor);
    const items = new Map(
      realms.flatMap((realm) => [...itemsOf(realm, range.part, range.partition)]),
    );
    return [...items]
      .filter(([, item]) => start === undefined || compareKeys(part, item, start) > 0)
      .sort(([, a], [, b]) => compareKeys(part, a, b))
      .map(([key]) => key);
  }

  async function* walk(
    range: Range,
    realms: readonly [Realm, Realm?],
    horizon: Horizon | undefined,
    from: Checkpoint | undefined,
    until: number,
    visit: (one: Item | undefined, other: Item | undefined) => Visit,
    beforeWrites?: () => Promise<void>,
  ): AsyncGenerator<Checkpoint> {
    let checkpoint: Checkpoint = from ?? { done: false, digest: EMPTY_DIGEST, changed: 0 };
    if (checkpoint.done) yield checkpoint;
    while (!checkpoint.done) {
      const keys = keysAfter(
        range,
        realms.filter((realm) => realm !== undefined),
        checkpoint.cursor,
      );
      const page = keys.slice(0, pageItems);
      const found = page.map((key) =>
        realms.map((realm) =>
          realm === undefined ? undefined : itemsOf(realm, range.part, range.partition).get(key),
        ),
      );
      if (beforeWrites) await beforeWrites();
      const visits = found.map(([one, other]) => visit(one, other));
      const seen = visits.flatMap((one) =>
        one.seen && horizon ? [itemDigest(partCalled(range.part), one.seen, horizon)] : [],
      );
      const cursor = page.at(-1);
      const done = page.length === keys.length;
      checkpoint = {
        ...(!done && cursor !== undefined && { cursor }),
        done,
        digest: withItems(checkpoint.digest, seen),
        changed: checkpoint.changed + visits.filter(({ changed }) => changed).length,
      };
      yield checkpoint;
      if (clock.now() >= until) return;
    }
  }

  function living(range: Range, item: Item | undefined, horizon: Horizon): Item | undefined {
    return item && isLive(partCalled(range.part), item, horizon) ? item : undefined;
  }

  function differenceIn(
    range: Range,
    one: Item | undefined,
    other: Item | undefined,
  ): Difference | undefined {
    const item = one ?? other;
    if (item === undefined || (one && other && encodeItem(one) === encodeItem(other)))
      return undefined;
    const key = printableKey(partCalled(range.part), item);
    if (one === undefined) return { key, found: 'extra' };
    return { key, found: other === undefined ? 'missing' : 'changed' };
  }

  const kind: PartKind = {
    copy: (range, source, target, horizon, from, until, _rateLimit, reads) => {
      const write = (item: Item | undefined): Visit => {
        const seen = living(range, item, horizon);
        if (seen) put(target, range.part, seen);
        return { seen, changed: seen !== undefined };
      };
      const isSplit = reads === 'eventual' && beforeWritesAhead !== undefined;
      const beforeWrites = isSplit ? () => beforeWritesAhead(range, target) : undefined;
      return walk(range, [source], horizon, from, until, write, beforeWrites);
    },

    digest: (range, realm, horizon, from, until) =>
      walk(range, [realm], horizon, from, until, (item) => ({
        seen: living(range, item, horizon),
      })),

    restore: (range, source, target, horizon, from, until, _rateLimit, reads) =>
      walk(range, [source, target], horizon, from, until, (one, other) => {
        const [seen, present] = [living(range, one, horizon), living(range, other, horizon)];
        const item = seen ?? present;
        if (reads === 'eventual' && item && isStale(item)) return { seen };
        const difference = differenceIn(range, seen, present);
        if (difference && seen) put(target, range.part, seen);
        else if (difference && present) remove(target, range.part, present);
        return { seen, changed: difference !== undefined };
      }),

    purge: (range, realm, from, until) =>
      walk(range, [realm], undefined, from, until, (item) => {
        if (item) remove(realm, range.part, item);
        return { changed: true };
      }),

    isEmpty: async (range, realm) => itemsOf(realm, range.part, range.partition).size === 0,

    async size(range, realm, until, from = NOTHING_COUNTED) {
      const now = Math.floor(clock.now() / 1000);
      let size = from;
      while (!size.complete) {
        const keys = keysAfter(range, [realm], size.cursor);
        const page = keys.slice(0, pageItems);
        const items = page
          .map((key) => itemsOf(realm, range.part, range.partition).get(key))
          .filter((item) => item !== undefined);
        const live = items.filter((item) => living(range, item, { asOf: now, lastingUntil: now }));
        const cursor = page.at(-1);
        const complete = page.length === keys.length;
        size = {
          items: size.items + live.length,
          expired: size.expired + items.length - live.length,
          bytes: live.reduce((sum, item) => sum + sizeOfItem(item), size.bytes),
          complete,
          ...(!complete && cursor !== undefined && { cursor }),
        };
        if (clock.now() >= until) break;
      }
      return size;
    },

    async differences(range, source, target, horizon, limit) {
      const found = keysAfter(range, [source, target], undefined).flatMap((key) => {
        const [one, other] = [source, target].map((realm) =>
          itemsOf(realm, range.part, range.partition).get(key),
        );
        return (
          differenceIn(range, living(range, one, horizon), living(range, other, horizon)) ?? []
        );
      });
      return found.slice(0, limit);
    },
  };

  return { kind, put, remove, read, revision };
}

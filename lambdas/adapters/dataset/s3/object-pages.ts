/**
 * Reads the objects of a range in one realm, or in two side by side, with all that is kept of them.
 */
import { oneAhead } from '../range-reader.ts';
import { type ListedPage, listObjects } from './object-list.ts';
import { compareKeys, type ObjectSide } from './object-side.ts';
import { describeObject, type StoredObject } from './stored-object.ts';

export interface DescribedPage {
  readonly objects: readonly StoredObject[];
  /** The last key that was handled; absent on the last page. */
  readonly lastKey?: string;
}

/** What is gone since it was listed is left out. */
export async function* describedPages(
  side: ObjectSide,
  after: string | undefined,
): AsyncGenerator<DescribedPage> {
  for await (const { objects, lastKey } of oneAhead(listObjects(side, after))) {
    const described = await Promise.all(objects.map(({ key }) => describeObject(side, key)));
    yield {
      objects: described.filter((object) => object !== undefined),
      ...(lastKey !== undefined && { lastKey }),
    };
  }
}

/** What the two sides have under one key. */
export interface ObjectPair {
  readonly key: string;
  readonly source?: StoredObject | undefined;
  readonly target?: StoredObject | undefined;
}

export interface PairedPage {
  readonly pairs: readonly ObjectPair[];
  readonly lastKey?: string;
}

/** One listing of each side is in memory. */
export async function* pairedPages(
  source: ObjectSide,
  target: ObjectSide,
  after: string | undefined,
): AsyncGenerator<PairedPage> {
  const [one, other] = [source, target].map((side) => buffered(oneAhead(listObjects(side, after))));
  if (one === undefined || other === undefined) return;
  let isLast = false;
  while (!isLast) {
    await Promise.all([one.fill(), other.fill()]);
    const keys: { key: string; inSource: boolean; inTarget: boolean }[] = [];
    while (!one.isDry() && !other.isDry()) {
      const [a, b] = [one.head(), other.head()];
      if (a === undefined && b === undefined) break;
      const order = orderOf(a, b);
      keys.push({ key: (order <= 0 ? a : b) ?? '', inSource: order <= 0, inTarget: order >= 0 });
      if (order <= 0) one.drop();
      if (order >= 0) other.drop();
    }
    isLast = one.hasEnded() && other.hasEnded();
    const pairs = await Promise.all(
      keys.map(async ({ key, inSource, inTarget }): Promise<ObjectPair> => {
        const [here, there] = await Promise.all([
          inSource ? describeObject(source, key) : undefined,
          inTarget ? describeObject(target, key) : undefined,
        ]);
        return { key, source: here, target: there };
      }),
    );
    const lastKey = keys.at(-1)?.key;
    yield { pairs, ...(!isLast && lastKey !== undefined && { lastKey }) };
  }
}

/** A side that has ended comes after every key of the other. */
function orderOf(one: string | undefined, other: string | undefined): number {
  if (one === undefined) return 1;
  return other === undefined ? -1 : compareKeys(one, other);
}

function buffered(pages: AsyncGenerator<ListedPage>) {
  let keys: readonly string[] = [];
  let place = 0;
  let isLast = false;
  const isEmpty = () => place === keys.length;
  return {
    head: () => keys[place],
    drop: () => {
      place += 1;
    },
    /** The page in memory is used up, and more may follow. */
    isDry: () => isEmpty() && !isLast,
    hasEnded: () => isEmpty() && isLast,
    async fill(): Promise<void> {
      while (isEmpty() && !isLast) {
        const { value } = await pages.next();
        keys = (value?.objects ?? []).map(({ key }: { key: string }) => key);
        place = 0;
        isLast = value?.lastKey === undefined;
      }
    },
  };
}

/**
 * Reads a range in two realms in the order of the keys and pairs items by key, with one page of
 * each in memory.
 */
import type { DynamoDbPart } from '../../domain/datasets/dataset.ts';
import { compareKeys, cursorOf, type WireItem } from './item-key.ts';
import type { Page } from './range-reader.ts';

/** The items that the two sides have under one key; at least one is there. */
export interface Pair {
  readonly source?: WireItem;
  readonly target?: WireItem;
}

/** `cursor` is the last key that was handled on both sides, and absent when both have ended. */
export interface JoinedPage {
  readonly pairs: readonly Pair[];
  readonly cursor?: string;
}

/** Yields whenever one side needs its next page. */
export async function* mergeJoin(
  part: DynamoDbPart,
  sourcePages: AsyncGenerator<Page>,
  targetPages: AsyncGenerator<Page>,
): AsyncGenerator<JoinedPage> {
  const source = buffered(sourcePages);
  const target = buffered(targetPages);
  const haveEnded = () => source.hasEnded() && target.hasEnded();
  do {
    await Promise.all([source.fill(), target.fill()]);
    const pairs: Pair[] = [];
    while (!source.isDry() && !target.isDry() && !haveEnded()) {
      pairs.push(nextPair(part, source, target));
    }
    const last = pairs.at(-1)?.source ?? pairs.at(-1)?.target;
    yield { pairs, ...(!haveEnded() && last !== undefined && { cursor: cursorOf(part, last) }) };
  } while (!haveEnded());
}

function nextPair(part: DynamoDbPart, source: Buffered, target: Buffered): Pair {
  const [one, other] = [source.head(), target.head()];
  const order = one && other ? compareKeys(part, one, other) : 0;
  const pair: { source?: WireItem; target?: WireItem } = {};
  if (one !== undefined && order <= 0) {
    pair.source = one;
    source.drop();
  }
  if (other !== undefined && order >= 0) {
    pair.target = other;
    target.drop();
  }
  return pair;
}

type Buffered = ReturnType<typeof buffered>;

function buffered(pages: AsyncGenerator<Page>) {
  let items: readonly WireItem[] = [];
  let position = 0;
  let lastPage = false;
  const isEmpty = () => position === items.length;
  return {
    head: () => items[position],
    drop: () => {
      position += 1;
    },
    /** The page in memory is used up, and more may follow. */
    isDry: () => isEmpty() && !lastPage,
    hasEnded: () => isEmpty() && lastPage,
    async fill(): Promise<void> {
      while (isEmpty() && !lastPage) {
        const { value } = await pages.next();
        items = value?.items ?? [];
        position = 0;
        lastPage = value?.cursor === undefined;
      }
    },
  };
}

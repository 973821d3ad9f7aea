/**
 * Reads a range in two realms in the order of the keys and pairs items by key, with a few pages of
 * each in memory.
 */
import type { DynamoDbPart } from '../../domain/datasets/dataset.ts';
import { defined } from '../../domain/defined.ts';
import { STRETCHES_AT_ONCE } from '../../domain/planning/estimate.ts';
import type { Reads } from '../../ports.ts';
import { compareKeys, cursorOf, type WireItem } from './item-key.ts';
import { oneAhead, type Page, type RangeSide, readPages } from './range-reader.ts';

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

/**
 * A page of the target, and what the source has under keys up to its last one. The source is in
 * another region: a page takes a round trip of some 100 ms, and the next one cannot be asked for
 * before its end is known. The target is near, and its pages end where those of the source may too.
 */
interface Stretch {
  readonly target: Page;
  readonly source: AsyncGenerator<Page>;
  /** Asked for at once. */
  readonly first: Promise<IteratorResult<Page>>;
}

/** Starts after the key `after`. Both sides may be empty; the last page is then empty too. */
export async function* pairedPages(
  source: RangeSide,
  target: RangeSide,
  after?: string,
  reads?: Reads,
): AsyncGenerator<JoinedPage> {
  const targetPages = oneAhead(readPages(target, after, reads));
  const stretches: Stretch[] = [];
  let from = after;
  let isLast = false;

  async function open(): Promise<void> {
    const { value: page } = await targetPages.next();
    if (page === undefined) throw new Error('a range has at least one page');
    const pages = oneAhead(readPages(source, from, reads, page.cursor));
    const first = pages.next();
    first.catch(() => {}); // it is awaited when its turn comes, and thrown there
    stretches.push({ target: page, source: pages, first });
    from = page.cursor;
    isLast = page.cursor === undefined;
  }

  try {
    do {
      while (!isLast && stretches.length < STRETCHES_AT_ONCE) await open();
      const [stretch] = stretches;
      if (stretch === undefined) break;
      const { target: page, first, source: pages } = stretch;
      for await (const joined of mergeJoin(source.part, begunWith(first, pages), only(page)))
        yield { pairs: joined.pairs, ...defined({ cursor: joined.cursor ?? page.cursor }) };
      stretches.shift();
    } while (!isLast || stretches.length > 0);
  } finally {
    for (const { first, source: pages } of stretches) {
      await first.catch(() => {});
      await pages.return(undefined);
    }
    await targetPages.return(undefined);
  }
}

async function* begunWith<T>(
  first: Promise<IteratorResult<T>>,
  others: AsyncGenerator<T>,
): AsyncGenerator<T> {
  for (let one = await first; !one.done; one = await others.next()) yield one.value;
}

async function* only(page: Page): AsyncGenerator<Page> {
  yield { items: page.items, texts: page.texts };
}

/** Yields whenever one side needs its next page. */
async function* mergeJoin(
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

/** The part kind over DynamoDB: copies, compares, restores and purges a part that is a table. */
import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart, Range } from '../../domain/datasets/dataset.ts';
import type { ItemDigest } from '../../domain/datasets/digest.ts';
import { withItems } from '../../domain/datasets/digest.ts';
import { sayTooLarge } from '../../domain/datasets/discovery.ts';
import type { Realm } from '../../domain/realm.ts';
import type { Checkpoint, Clock, Difference, Horizon, PartKind, Reads } from '../../ports.ts';
import { readBothEnds } from './both-ends.ts';
import { BEGINNING, checkpointAt } from './checkpoint.ts';
import { encodeItem, isLive, itemDigest } from './item-encoding.ts';
import { type AnyItem, cursorOf, keyOf, printableKey, type WireItem } from './item-key.ts';
import { put, remove, type WireWrite } from './item-wire.ts';
import { type Pair, pairedPages } from './merge-join.ts';
import { pageSharesOf } from './page-split.ts';
import { digestRange, isEmptyRange, NO_WRITES } from './range-digest.ts';
import { oneAhead, type RangeSide, readPages } from './range-reader.ts';
import { sizeOfRange } from './range-size.ts';
import {
  copyByIndex,
  copyByScan,
  differencesByScan,
  digestBeside,
  digestByScan,
  isEmptyByScan,
  purgeByScan,
  restoreByScan,
  sizeByScan,
} from './scan-part-kind.ts';
import { type WriteStep, writeSteps } from './write-steps.ts';
import { writeWindow } from './write-window.ts';

export interface DynamoDbPartKindOptions {
  readonly clientFor: (realm: Realm) => DynamoDBClient;
  /** Clients that do not retry (`maxAttempts: 1`), so that the write window sees every throttle. */
  readonly writerFor: (realm: Realm) => DynamoDBClient;
  readonly tableOf: (part: DynamoDbPart, realm: Realm) => string;
  readonly parts: readonly DynamoDbPart[];
  readonly clock: Clock;
  /** Items per page; without it, pages are 1 MB. */
  readonly pageItems?: number;
  /** For operators, whose rights end at keys: the bytes of a scanned table are then estimated. */
  readonly onlyKeys?: boolean;
  /** Requests of a scan that are sent at once; 16 where it is left out. */
  readonly scansAtOnce?: number;
  /** Called at the end of a turn with the number of writes that were sent again. */
  readonly onThrottled?: (writes: number) => void;
}

export function dynamoDbPartKind(options: DynamoDbPartKindOptions): PartKind {
  const { clientFor, writerFor, tableOf, parts, clock, pageItems, scansAtOnce, onThrottled } =
    options;

  function sideOf(range: Range, realm: Realm, rateLimit?: number): RangeSide {
    const part = parts.find(({ name }) => name === range.part);
    if (part === undefined) throw new Error(`no part is called ${range.part}`);
    return {
      client: clientFor(realm),
      table: tableOf(part, realm),
      part,
      partition: range.partition,
      segment: range.segment,
      partitions: range.partitions,
      pageItems: pageItemsAt(rateLimit, pageItems),
      scansAtOnce,
    };
  }

  async function* writeAll(
    steps: AsyncGenerator<WriteStep>,
    { table, part }: RangeSide,
    realm: Realm,
    until: number,
    rateLimit: number | undefined,
  ): AsyncGenerator<Checkpoint> {
    const window = writeWindow(writerFor(realm), table, part, clock, rateLimit);
    try {
      yield* writeSteps(steps, window, clock, until);
    } finally {
      if (window.throttled() > 0) onThrottled?.(window.throttled());
    }
  }

  return {
    async *copy(range, source, target, horizon, from, until, rateLimit, reads) {
      if (from?.done) return yield from;
      const side = sideOf(range, source, rateLimit);
      const steps = isScanned(side)
        ? copyOf(side)(side, sideOf(range, target), horizon, from)
        : copySteps(side, horizon, from, reads);
      yield* writeAll(steps, sideOf(range, target), target, until, rateLimit);
    },

    async *digest(range, realm, horizon, from, until, beside) {
      if (from?.done) return yield from;
      const side = sideOf(range, realm);
      if (!isScanned(side)) return yield* digestRange(side, horizon, from, clock, until);
      const isShared = beside !== undefined && range.segment !== undefined && range.segment.of > 1;
      const steps = isShared
        ? digestBeside(side, sideOf(range, beside), horizon, from)
        : digestByScan(side, horizon, from);
      yield* writeSteps(steps, NO_WRITES, clock, until);
    },

    async *restore(range, source, target, horizon, from, until, rateLimit, reads) {
      if (from?.done) return yield from;
      const [one, other] = [sideOf(range, source, rateLimit), sideOf(range, target, rateLimit)];
      const steps = isScanned(one)
        ? restoreByScan(one, other, horizon, from)
        : restoreSteps(one, other, horizon, from, reads);
      yield* writeAll(steps, other, target, until, rateLimit);
    },

    async *purge(range, realm, from, until, rateLimit) {
      if (from?.done) return yield from;
      const side = sideOf(range, realm, rateLimit);
      const steps = isScanned(side)
        ? purgeByScan(side, from)
        : purgeSteps(side, () => clock.now() < until, from);
      yield* writeAll(steps, side, realm, until, rateLimit);
    },

    async isEmpty(range, realm) {
      const side = sideOf(range, realm);
      return isScanned(side) ? isEmptyByScan(side) : isEmptyRange(side);
    },

    async size(range, realm, until, from) {
      const side = sideOf(range, realm);
      if (!isScanned(side)) return sizeOfRange(side, clock, until, from);
      return sizeByScan(side, clock, until, from, options.onlyKeys ? 'keys' : 'items');
    },

    async oversize(range, realm) {
      const { client, table, part } = sideOf(range, realm);
      if (part.discover === undefined) return undefined;
      const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
      return sayTooLarge(part, realm, Table?.TableSizeBytes ?? 0);
    },

    async differences(range, source, target, horizon, limit) {
      const [one, other] = [sideOf(range, source), sideOf(range, target)];
      if (isScanned(one)) return differencesByScan(one, other, horizon, limit);
      const found: Difference[] = [];
      for await (const { pairs } of pairedPages(one, other)) {
        for (const pair of pairs) {
          const difference = differenceIn(one.part, pair, horizon);
          if (difference !== undefined) found.push(difference);
          if (found.length >= limit) return found;
        }
      }
      return found;
    },
  };
}

const isScanned = ({ part }: RangeSide): boolean => part.discover !== undefined;
const copyOf = ({ part }: RangeSide) => (part.discover?.by === 'index' ? copyByIndex : copyByScan);

/**
 * Under a rate limit a page holds at most what may be written in this time, so that a turn can end
 * in time.
 */
const PAGE_SECONDS = 2;

const pageItemsAt = (
  rateLimit: number | undefined,
  most: number | undefined,
): number | undefined =>
  rateLimit === undefined
    ? most
    : Math.max(1, Math.min(Math.floor(rateLimit * PAGE_SECONDS), most ?? MOST_PAGE_ITEMS));

/** No page of 1 MB holds more items. */
const MOST_PAGE_ITEMS = 10_000;

async function* copySteps(
  source: RangeSide,
  horizon: Horizon,
  from = BEGINNING,
  reads?: Reads,
): AsyncGenerator<WriteStep> {
  let { digest, changed } = from;
  const { part } = source;
  for await (const { items, texts, cursor } of oneAhead(readPages(source, from.cursor, reads))) {
    const words = texts();
    for (const { from: first, to, share } of pageSharesOf(items.length)) {
      const writes: WireWrite[] = [];
      const seen: ItemDigest[] = [];
      for (let index = first; index < to; index += 1) {
        const [item, text] = [items[index], words[index]];
        if (item === undefined || text === undefined || !isLive(part, item, horizon)) continue;
        writes.push(put(cursorOf(part, item), text));
        seen.push(itemDigest(part, item, horizon));
      }
      digest = withItems(digest, seen);
      changed += writes.length;
      const last = items[to - 1];
      const reached = to < items.length && last !== undefined ? cursorOf(part, last) : cursor;
      yield { writes, checkpoint: checkpointAt(reached, digest, changed), pages: share };
    }
  }
}

/**
 * An expired item counts as absent in the source: a live one in the target under its key is
 * deleted. An expired item in the target is overwritten by a live one, and otherwise left to
 * DynamoDB.
 */
async function* restoreSteps(
  source: RangeSide,
  target: RangeSide,
  horizon: Horizon,
  from = BEGINNING,
  reads?: Reads,
): AsyncGenerator<WriteStep> {
  const { part } = source;
  let { digest, changed } = from;
  for await (const { pairs, cursor } of pairedPages(source, target, from.cursor, reads)) {
    const writes: WireWrite[] = [];
    const seen: ItemDigest[] = [];
    for (const pair of pairs) {
      const wanted = live(part, pair.source, horizon);
      const encoding = wanted && encodeItem(wanted);
      if (wanted !== undefined) seen.push(itemDigest(part, wanted, horizon, encoding));
      const difference = differenceIn(part, pair, horizon, encoding)?.found;
      if (difference === 'extra' && pair.target !== undefined)
        writes.push(removal(part, pair.target));
      else if (difference !== undefined && wanted !== undefined)
        writes.push(put(cursorOf(part, wanted), JSON.stringify(wanted)));
    }
    digest = withItems(digest, seen);
    changed += writes.length;
    const written = writes.length / Math.max(1, pairs.length);
    yield { writes, checkpoint: checkpointAt(cursor, digest, changed), pages: 1, written };
  }
}

async function* purgeSteps(
  side: RangeSide,
  isUrgent: () => boolean,
  from = BEGINNING,
): AsyncGenerator<WriteStep> {
  let { changed } = from;
  for await (const { items, cursor, cursorAfter } of oneAhead(
    readBothEnds(side, from.cursor, 'keys', isUrgent),
  )) {
    for (const { from: first, to, share } of pageSharesOf(items.length)) {
      const some = items.slice(first, to);
      changed += some.length;
      const last = some.at(-1);
      const reached = to < items.length && last !== undefined ? cursorAfter(last) : cursor;
      yield {
        writes: some.map((item) => removal(side.part, item)),
        checkpoint: checkpointAt(reached, from.digest, changed),
        pages: share,
      };
    }
  }
}

/**
 * What makes the target unlike the source under this key; `undefined` where both are the same, or
 * absent. `encoding` is that of the item in the source, where the caller has it already.
 */
function differenceIn(
  part: DynamoDbPart,
  pair: Pair,
  horizon: Horizon,
  encoding?: string,
): Difference | undefined {
  const wanted = live(part, pair.source, horizon);
  const present = live(part, pair.target, horizon);
  if (wanted === undefined) return present && { key: printableKey(part, present), found: 'extra' };
  if (present === undefined) return { key: printableKey(part, wanted), found: 'missing' };
  if ((encoding ?? encodeItem(wanted)) === encodeItem(present)) return undefined;
  return { key: printableKey(part, wanted), found: 'changed' };
}

const live = (
  part: DynamoDbPart,
  item: WireItem | undefined,
  horizon: Horizon,
): WireItem | undefined => (item !== undefined && isLive(part, item, horizon) ? item : undefined);
const removal = (part: DynamoDbPart, item: AnyItem): WireWrite =>
  remove(cursorOf(part, item), keyOf(part, item));

/**
 * The part kind for tables whose partition key is an entity's id. A range is the whole table, or a
 * segment of it, of which a scan brings the tenant's items. Two sides are compared by reading,
 * under the keys of the one, what the other has there: scans have no order that two tables share,
 * and an item may be in another segment there.
 */
import type { DynamoDbPart } from '../../domain/datasets/dataset.ts';
import { withItems } from '../../domain/datasets/digest.ts';
import { isExpired } from '../../domain/datasets/expiry.ts';
import { NOTHING_COUNTED, type RangeSize } from '../../domain/datasets/size.ts';
import type { Checkpoint, Clock, Difference, Horizon } from '../../ports.ts';
import { BEGINNING, checkpointAt } from './checkpoint.ts';
import { encodeItem, isLive, itemDigest, sizeOfItem } from './item-encoding.ts';
import { identityOf, keyOf, printableKey, type WireItem } from './item-key.ts';
import { put, remove, type WireWrite } from './item-wire.ts';
import { oneAhead, type RangeSide } from './range-reader.ts';
import { attributeOf, counterparts, indexPages, type ScanPage, scanPages } from './scan-reader.ts';
import type { WriteStep } from './write-steps.ts';

type Pages = AsyncGenerator<Pick<ScanPage, 'items' | 'cursor'>>;

/** The work goes first over the items of the source, then over those of the target. */
type Stage = 'source' | 'target';

/** Writes what is missing or different in the target. */
export const copyByScan = (
  source: RangeSide,
  target: RangeSide,
  horizon: Horizon,
  from = BEGINNING,
): AsyncGenerator<WriteStep> =>
  written(source, target, horizon, from, scanPages(source, from.cursor, 'items'));

/** An index has no segments: the first range copies what it finds, and the others nothing. */
export async function* copyByIndex(
  source: RangeSide,
  target: RangeSide,
  horizon: Horizon,
  from = BEGINNING,
): AsyncGenerator<WriteStep> {
  if (source.segment === undefined || source.segment.at === 0)
    return yield* written(source, target, horizon, from, indexPages(source, from.cursor));
  yield { writes: [], checkpoint: checkpointAt(undefined, from.digest, from.changed), pages: 1 };
}

async function* written(
  source: RangeSide,
  target: RangeSide,
  horizon: Horizon,
  from: Checkpoint,
  pages: Pages,
): AsyncGenerator<WriteStep> {
  let { digest, changed } = from;
  for await (const { found, live, cursor } of wantedPages(source, target, horizon, pages)) {
    changed += found.length;
    digest = withItems(
      digest,
      live.map((item) => itemDigest(source.part, item, horizon)),
    );
    yield {
      writes: found.map(({ write }) => write),
      checkpoint: checkpointAt(cursor, digest, changed),
      pages: 1,
    };
  }
}

/** Writes what differs, and then deletes what is extra in the target. */
export async function* restoreByScan(
  source: RangeSide,
  target: RangeSide,
  horizon: Horizon,
  from = BEGINNING,
): AsyncGenerator<WriteStep> {
  let { digest, changed } = from;
  const [stage, start] = stageIn(from.cursor);
  if (stage === 'source')
    for await (const step of copyByScan(source, target, horizon, withCursor(from, start))) {
      ({ digest, changed } = step.checkpoint);
      const cursor =
        step.checkpoint.cursor === undefined ? 'target' : `source${step.checkpoint.cursor}`;
      yield { ...step, checkpoint: checkpointAt(cursor, digest, changed) };
    }
  const pages = extraPages(source, target, horizon, stage === 'target' ? start : undefined);
  for await (const { extra, cursor } of pages) {
    changed += extra.length;
    const writes = extra.map((item) => removal(target.part, item));
    const next = cursor === undefined ? undefined : `target${cursor}`;
    yield { writes, checkpoint: checkpointAt(next, digest, changed), pages: 1 };
  }
}

function stageIn(cursor: string | undefined): readonly [Stage, string | undefined] {
  const stage = cursor?.startsWith('target') ? 'target' : 'source';
  return [stage, cursor?.slice(stage.length) || undefined];
}

const withCursor = ({ cursor: _, ...rest }: Checkpoint, cursor: string | undefined): Checkpoint =>
  cursor === undefined ? rest : { ...rest, cursor };

export async function* digestByScan(
  side: RangeSide,
  horizon: Horizon,
  from = BEGINNING,
): AsyncGenerator<WriteStep> {
  let { digest } = from;
  for await (const { items, cursor } of oneAhead(scanPages(side, from.cursor, 'items'))) {
    const live = items.filter((item) => isLive(side.part, item, horizon));
    digest = withItems(
      digest,
      live.map((item) => itemDigest(side.part, item, horizon)),
    );
    yield { writes: [], checkpoint: checkpointAt(cursor, digest, 0), pages: 1 };
  }
}

/**
 * The digest of one side as the segments of the other share it out: of the items that are under the
 * keys of the other's segment, and of those in its own segment that the other does not have at all.
 * All segments together have each item of this side once.
 */
export async function* digestBeside(
  side: RangeSide,
  other: RangeSide,
  horizon: Horizon,
  from = BEGINNING,
): AsyncGenerator<WriteStep> {
  let { digest } = from;
  const [stage, start] = stageIn(from.cursor);
  const step = (items: readonly WireItem[], cursor: string | undefined): WriteStep => {
    const seen = items.filter((item) => isLive(side.part, item, horizon));
    digest = withItems(
      digest,
      seen.map((item) => itemDigest(side.part, item, horizon)),
    );
    return { writes: [], checkpoint: checkpointAt(cursor, digest, 0), pages: 1 };
  };
  if (stage === 'source')
    for await (const { items, cursor } of oneAhead(scanPages(other, start, 'items'))) {
      const there = await counterparts(
        side,
        items.filter((item) => isLive(side.part, item, horizon)),
      );
      yield step([...there.values()], cursor === undefined ? 'target' : `source${cursor}`);
    }
  const pages = scanPages(side, stage === 'target' ? start : undefined, 'items');
  for await (const { items, cursor } of oneAhead(pages)) {
    const live = items.filter((item) => isLive(side.part, item, horizon));
    const there = await counterparts(other, live);
    const alone = live.filter((item) => {
      const found = there.get(identityOf(side.part, item));
      return found === undefined || !isLive(side.part, found, horizon) || !isIn(other, found);
    });
    yield step(alone, cursor === undefined ? undefined : `target${cursor}`);
  }
}

/** Whether an item of the tenant is in this range's partition, and not in another of its own. */
function isIn({ part, partition }: RangeSide, item: WireItem): boolean {
  const attribute = attributeOf(part);
  return attribute === undefined || item[attribute]?.S === partition;
}

export async function* purgeByScan(side: RangeSide, from = BEGINNING): AsyncGenerator<WriteStep> {
  let { changed } = from;
  for await (const { items, cursor } of oneAhead(scanPages(side, from.cursor, 'keys'))) {
    changed += items.length;
    const writes = items.map((item) => removal(side.part, item));
    yield { writes, checkpoint: checkpointAt(cursor, from.digest, changed), pages: 1 };
  }
}

/** Reads until it finds an item; an expired one that is still there counts. */
export async function isEmptyByScan(side: RangeSide): Promise<boolean> {
  for await (const { items } of scanPages(side, undefined, 'keys'))
    if (items.length > 0) return false;
  return true;
}

/**
 * The items come to the reader, so that their bytes are known. Where only keys come, their share of
 * what the scan was charged for stands for them.
 */
export async function sizeByScan(
  side: RangeSide,
  clock: Clock,
  until: number,
  from: RangeSize = NOTHING_COUNTED,
  what: 'items' | 'keys' = 'items',
): Promise<RangeSize> {
  let size = from;
  if (size.complete) return size;
  for await (const { items, bytesEach, cursor } of scanPages(side, from.cursor, what)) {
    const now = Math.floor(clock.now() / 1000);
    const isOver = (item: WireItem) =>
      side.part.ttlAttribute !== undefined && isExpired(item[side.part.ttlAttribute]?.N, now);
    const living = items.filter((item) => !isOver(item));
    const bytes =
      what === 'keys'
        ? Math.round(bytesEach * living.length)
        : living.reduce((sum, item) => sum + sizeOfItem(item), 0);
    const { cursor: _, ...counted } = size;
    size = {
      ...counted,
      items: size.items + living.length,
      expired: size.expired + items.length - living.length,
      bytes: size.bytes + bytes,
      complete: cursor === undefined,
      ...(cursor !== undefined && { cursor }),
    };
    if (clock.now() >= until) break;
  }
  return size;
}

/** Sorted by their keys as text: a scan finds them in no order. */
export async function differencesByScan(
  source: RangeSide,
  target: RangeSide,
  horizon: Horizon,
  limit: number,
): Promise<readonly Difference[]> {
  const differences: Difference[] = [];
  const pages = scanPages(source, undefined, 'items');
  for await (const { found } of wantedPages(source, target, horizon, pages)) {
    differences.push(...found.map(({ difference }) => difference));
    if (differences.length >= limit) break;
  }
  if (differences.length < limit)
    for await (const { extra } of extraPages(source, target, horizon, undefined)) {
      for (const item of extra)
        differences.push({ key: printableKey(target.part, item), found: 'extra' });
      if (differences.length >= limit) break;
    }
  return differences.sort((one, other) => (one.key < other.key ? -1 : 1)).slice(0, limit);
}

interface Wanted {
  readonly write: WireWrite;
  readonly difference: Difference;
}

/** The live items of the source, page by page, and those that are not the same in the target. */
async function* wantedPages(
  source: RangeSide,
  target: RangeSide,
  horizon: Horizon,
  pages: Pages,
): AsyncGenerator<
  Pick<ScanPage, 'cursor'> & {
    readonly live: readonly WireItem[];
    readonly found: readonly Wanted[];
  }
> {
  const { part } = source;
  for await (const { items, cursor } of oneAhead(pages)) {
    const live = items.filter((item) => isLive(part, item, horizon));
    const there = await counterparts(target, live);
    const found = live.flatMap((item): readonly Wanted[] => {
      const other = there.get(identityOf(part, item));
      const present = other !== undefined && isLive(part, other, horizon) ? other : undefined;
      if (present !== undefined && encodeItem(item) === encodeItem(present)) return [];
      return [
        {
          write: put(identityOf(part, item), JSON.stringify(item)),
          difference: {
            key: printableKey(part, item),
            found: present === undefined ? 'missing' : 'changed',
          },
        },
      ];
    });
    yield { live, found, ...(cursor !== undefined && { cursor }) };
  }
}

/** The live items of the target, page by page, that the source does not have, or has expired. */
async function* extraPages(
  source: RangeSide,
  target: RangeSide,
  horizon: Horizon,
  start: string | undefined,
): AsyncGenerator<Pick<ScanPage, 'cursor'> & { readonly extra: readonly WireItem[] }> {
  const { part } = target;
  for await (const { items, cursor } of oneAhead(scanPages(target, start, 'items'))) {
    const live = items.filter((item) => isLive(part, item, horizon));
    const there = await counterparts(source, live);
    const extra = live.filter((item) => {
      const other = there.get(identityOf(part, item));
      return other === undefined || !isLive(part, other, horizon);
    });
    yield { extra, ...(cursor !== undefined && { cursor }) };
  }
}

const removal = (part: DynamoDbPart, item: WireItem): WireWrite =>
  remove(identityOf(part, item), keyOf(part, item));

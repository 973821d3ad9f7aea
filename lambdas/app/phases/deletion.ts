/**
 * Shared by every deletion: whether it may be done at all, its proof, and what happens where
 * something is left.
 */

import type { Range } from '../../domain/datasets/dataset.ts';
import { isScannedAtOnce } from '../../domain/datasets/discovery.ts';
import type { Migration } from '../../domain/moving/migration.ts';
import type { RangeRecord } from '../../domain/moving/range-record.ts';
import type { Realm } from '../../domain/realm.ts';
import { PermanentError } from '../../domain/refusal.ts';
import { DAY_MS } from '../../domain/time.ts';
import type { PartKind, Ports } from '../../ports.ts';
import type { AppContext } from '../app-context.ts';
import { concurrently } from '../concurrently.ts';
import type { Asked } from './range-task.ts';
import type { RangeWork } from './range-turn.ts';

/**
 * Refuses to claim or to delete anything where two tables are one, because a deletion in one realm
 * would delete the other's data. Such a configuration is refused when it is loaded and when it is
 * synthesised; this is the check just before a deletion.
 */
export function checkApart({ ports, settings }: AppContext): void {
  const { clash } = settings;
  if (clash === undefined) return;
  ports.log.error(`alarm: nothing is claimed nor deleted: ${clash}`);
  throw new PermanentError(clash);
}

/**
 * Deletes everything of the range on one side, and proves that nothing is left; otherwise it begins
 * again. The side gives the realm, so that a task cannot name one side and delete on the other.
 */
export function emptying(
  partKind: Pick<PartKind, 'purge' | 'isEmpty'>,
  { migration, range }: Pick<Asked, 'migration' | 'range'>,
  side: 'source' | 'target',
): Pick<RangeWork, 'realm' | 'sides' | 'conclude'> {
  const realm = migration[side];
  return {
    realm,
    sides: [
      {
        side,
        pages: (_, from, until, rateLimit) => partKind.purge(range, realm, from, until, rateLimit),
      },
    ],
    conclude: async () => ((await partKind.isEmpty(range, realm)) ? 'done' : 'again'),
  };
}

/**
 * The ranges of these that are not empty. A table that one step cannot scan is left out: of its
 * segments, each worker has proven after its purge, when nothing else wrote there any more, that
 * its own is empty, and the range's record says that it is done.
 */
export async function notEmpty(
  { ports, settings }: AppContext,
  ranges: readonly Range[],
  realm: Realm,
): Promise<readonly string[]> {
  const large = new Set(
    settings.parts.filter(({ discover }) => !isScannedAtOnce(discover)).map(({ name }) => name),
  );
  const looked = ranges.filter(({ part }) => !large.has(part));
  const empty = await concurrently(looked, (range) => ports.partKind.isEmpty(range, realm));
  return looked.filter((_, at) => !empty[at]).map(({ id }) => id);
}

/** A range that is not empty after its purge is purged again, by the next attempt. */
export async function purgeAgain(
  { rangeRecords }: Pick<Ports, 'rangeRecords'>,
  realm: Realm,
  migration: Migration,
  records: readonly RangeRecord[],
  ranges: readonly string[],
): Promise<void> {
  for (const { source: _s, target: _t, ...record } of records) {
    if (ranges.includes(record.range))
      await rangeRecords.put(realm, migration, { ...record, done: false });
  }
}

/** The day from which no point-in-time backup holds what was deleted by `now` (YYYY-MM-DD). */
export const backupsExpireAfter = (backupDays: number, now: number): string =>
  new Date(now + (backupDays + 1) * DAY_MS).toISOString().slice(0, 10);

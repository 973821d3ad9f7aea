/** What all tasks of the workflow are made from. */
import type { Part } from '../../domain/datasets/dataset.ts';
import { type Migration, type MigrationKey, windowReserve } from '../../domain/moving/migration.ts';
import type { RangeRecord } from '../../domain/moving/range-record.ts';
import { isLeased } from '../../domain/moving/range-record.ts';
import type { Realm } from '../../domain/realm.ts';
import { PermanentError } from '../../domain/refusal.ts';
import type { Ports } from '../../ports.ts';
import type { Steps } from '../steps.ts';
import { shortenOverlong } from './leases.ts';

export interface TaskSettings {
  readonly parts: readonly Part[];
  /** Longer than any function that writes datasets can run: writes that passed the guard have landed or died. */
  readonly drainSeconds: number;
  /** How long a commit can be rolled back before the source is purged. */
  readonly commitGraceSeconds: number;
  /** How long point-in-time backups of a table go back. */
  readonly backupDays: number;
  /** Which two tables of this stage are one, as a sentence. Nothing is claimed nor deleted then. */
  readonly clash?: string | undefined;
  readonly issuer: Issuer;
}

/** What receipts say of the deployment that issues them. */
export interface Issuer {
  readonly app: string;
  readonly account: string;
  readonly stage: string;
  readonly version: string;
  readonly outOfScope: readonly string[];
  readonly tableArn: (part: Part, realm: Realm) => string;
}

/**
 * Refuses to claim or to delete anything where two tables are one: what is deleted in one realm would be gone in the other.
 * A configuration like that is refused when it is loaded and when it is synthesised; whoever deletes looks once more.
 */
export function checkApart({ ports, settings }: Pick<TaskContext, 'ports' | 'settings'>): void {
  const { clash } = settings;
  if (clash === undefined) return;
  ports.log.error(`alarm: nothing is claimed nor deleted: ${clash}`);
  throw new PermanentError(clash);
}

export interface TaskContext {
  readonly ports: Ports;
  readonly steps: Steps;
  readonly settings: TaskSettings;
}

/** The day from which no point-in-time backup holds any more what was deleted by `now` (YYYY-MM-DD). */
export const backupsExpireAfter = (backupDays: number, now: number): string =>
  new Date(now + (backupDays + 1) * 86_400_000).toISOString().slice(0, 10);

/** What was purged and is not empty is purged again, by the next attempt. */
export async function purgeAgain(
  { ledger }: Pick<Ports, 'ledger'>,
  realm: Realm,
  migration: Migration,
  records: readonly RangeRecord[],
  ranges: readonly string[],
): Promise<void> {
  for (const { source: _s, target: _t, ...record } of records) {
    if (ranges.includes(record.range))
      await ledger.putRange(realm, migration, { ...record, done: false });
  }
}

/** Epoch milliseconds until which somebody may still write for this migration, in either realm; 0 when nobody can. */
export async function busyUntil(ports: Ports, migration: Migration): Promise<number> {
  const realms: readonly Realm[] = [migration.source, migration.target];
  const ends = await Promise.all(
    realms.map(async (realm) =>
      leasedUntil(ports, realm, migration, await ports.ledger.listRanges(realm, migration)),
    ),
  );
  return Math.max(...ends);
}

/** The same, of these ranges of one realm alone. */
export async function leasedUntil(
  ports: Pick<Ports, 'ledger' | 'clock' | 'isGone'>,
  realm: Realm,
  key: MigrationKey,
  records: readonly RangeRecord[],
): Promise<number> {
  const { clock, isGone } = ports;
  const leased = records.filter((record) => isLeased(record, clock.now(), isGone));
  const held = await Promise.all(
    leased.map((record) => shortenOverlong(ports, { realm, key }, record)),
  );
  return Math.max(0, ...held.map(({ lease }) => lease?.until ?? 0));
}

export const isTooLate = (migration: Migration, now: number): boolean =>
  migration.facts !== undefined &&
  now > Date.parse(migration.facts.endTime) - windowReserve(migration);

/**
 * What operators, the watch page and receipts say of the data that was copied ahead of a window.
 */
import { withCommas } from '../operating/with-commas.ts';
import type { Migration } from './migration.ts';

/** The fields of a migration that this text depends on. */
export type AheadFacts = Pick<Migration, 'status' | 'target' | 'ahead'>;

/** A sentence; `undefined` for a migration that nothing was copied ahead for. */
export function aheadText(migration: AheadFacts): string | undefined {
  const { status, target, ahead } = migration;
  if (ahead === undefined) return undefined;
  const { finishedAt, stopped } = ahead;
  if (status === 'rolled-back') return `${copiedText(migration)}, and discarded there`;
  if (status === 'rolling-back') return `${copiedText(migration)}, and is being discarded there`;
  if (status !== 'scheduled') return copiedText(migration);
  if (finishedAt !== undefined) return `${copiedText(migration)}, not serving`;
  if (stopped !== undefined) return `given up, ${target} is not serving: ${stopped}`;
  return `is being copied ahead to ${target}, not serving, since ${ahead.begunAt}`;
}

/** For a receipt too, which knows that everything was discarded when its move was rolled back. */
export function copiedText({ target, ahead }: Pick<AheadFacts, 'target' | 'ahead'>): string {
  const { begunAt, finishedAt, items = 0, bytes = 0 } = ahead ?? {};
  return finishedAt === undefined
    ? `copied ahead to ${target} in part, from ${begunAt} on`
    : `copied ahead to ${target} from ${begunAt} to ${finishedAt}: ${withCommas(items)} items, ${withCommas(bytes)} bytes`;
}

/** Ids of ours for schedules that name none (a Connect app may be sent hooks without `migrationId`). */
import { type Facts, isFinal, isLater, sameFacts } from '../domain/moving/migration.ts';
import type { Realm } from '../domain/realm.ts';
import type { MigrationStore } from '../ports.ts';

/**
 * The same id for the same schedule said again; the next one for a schedule that comes after its forerunner has ended,
 * which a delayed repetition, issued before that, does not. What makes a repetition is its facts and the time of its token,
 * never its number: a tombstone in the middle of the numbers may have expired, and so may the one with the highest, whose number
 * then comes again. It was refused, so that no other record was ever made under it.
 */
export async function numberedSchedule(
  migrations: MigrationStore,
  here: Realm,
  { tenant, iat }: { readonly tenant: string; readonly iat: number },
  facts: Facts,
): Promise<string> {
  // The realm is part of the id: the tenant may carry the number of another realm's in its record.
  const prefix = `unnumbered-${here}-`;
  const withOurIds = (await migrations.list(here, tenant))
    .filter(({ id }) => id.startsWith(prefix))
    .sort((a, b) => (isLater(a, b) ? -1 : 1));
  const said = withOurIds.find(
    (known) =>
      sameFacts(known.facts, facts) &&
      (!isFinal(known) || Date.parse(known.updatedAt) >= iat * 1000),
  );
  const numbers = withOurIds.map(({ id }) => Number(id.slice(prefix.length)) || 0);
  return said?.id ?? `${prefix}${Math.max(0, ...numbers) + 1}`;
}

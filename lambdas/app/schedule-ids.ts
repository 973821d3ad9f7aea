/** Ids of ours for schedules that name none (a Connect app may get hooks without `migrationId`). */
import { type Facts, isFinal, isLater, sameFacts } from '../domain/moving/migration.ts';
import type { Realm } from '../domain/realm.ts';
import type { MigrationStore } from '../ports.ts';

/**
 * The same id for a repetition of a schedule, and the next id for a schedule that comes after the
 * earlier one has ended; a delayed repetition was issued before that. Its facts and the time of its
 * token make a repetition, never its number: tombstones expire, and the number of an expired last
 * one comes again. That schedule was refused, so that no other record was ever made under the
 * number.
 */
export async function numberedSchedule(
  migrations: MigrationStore,
  here: Realm,
  { tenant, iat }: { readonly tenant: string; readonly iat: number },
  facts: Facts,
): Promise<string> {
  // The realm is part of the id, because the tenant's record may hold an id of another realm.
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

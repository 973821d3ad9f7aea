/** Finds the migration that a hook means, in whichever realm the hook arrived. */
import { isLater, type Migration } from '../domain/moving/migration.ts';
import type { Realm } from '../domain/realm.ts';
import type { Caller } from '../domain/requests.ts';
import type { TenantState } from '../domain/tenants/tenant.ts';
import { type AppContext, stackRealms } from './app-context.ts';

/**
 * Hooks go to the source's base URL. Where the tenant is a copy here, or has a receipt, the record
 * leads to the source's ledger. Where the tenant lives in another realm, or did once, the ledgers
 * of all realms are asked, because an answer from this realm's ledger alone would be wrong.
 */
export async function locate(
  { ports: { tenants, migrations, receipts }, settings }: AppContext,
  caller: Caller,
  id: string | undefined,
  hook: 'rollback' | 'other',
): Promise<Migration | undefined> {
  const { realm: here } = settings;
  const { tenant } = caller;
  if (id === undefined) return latest(caller);
  const own = await migrations.read({ ledger: here, tenant, id });
  if (own?.facts) return own;
  const record = await tenants.read(here, tenant);
  const named = [record?.migration, record?.arrivedBy].includes(id) ? record?.ledger : undefined;
  const home = named ?? (await receipts.read(here, tenant, id))?.source;
  if (home !== undefined && home !== here)
    return (await migrations.read({ ledger: home, tenant, id })) ?? own;
  if (record === undefined || LIVES_HERE.includes(record.state)) return own;
  const [, ...others] = stackRealms(settings);
  const found = await Promise.all(
    others.map((other) => migrations.read({ ledger: other, tenant, id })),
  );
  // A tombstone may exist beside the migration itself, in another realm. Then the migration is
  // meant.
  const known = [own, ...found].filter((migration) => migration !== undefined);
  return known.find(({ facts }) => facts !== undefined) ?? known[0];

  /**
   * Without an id, the tenant's last migration out of this realm is meant, because hooks go to the
   * source. It is never one that was scheduled after the token was issued. A refused schedule
   * concerns only its own rollback.
   */
  async function latest({ iat }: Caller): Promise<Migration | undefined> {
    const known = (await migrations.list(here, tenant)).filter(
      ({ scheduledIat }) => scheduledIat <= iat,
    );
    const meant =
      hook === 'rollback'
        ? known.filter((migration) => !isOfForerunner(migration, iat))
        : known.filter(({ facts }) => facts !== undefined);
    // By the time of Atlassian's token: a delayed repetition of an old schedule is not newer for
    // arriving late.
    const isNewer = (a: Migration, b: Migration) =>
      a.scheduledIat === b.scheduledIat ? isLater(a, b) : a.scheduledIat > b.scheduledIat;
    return meant.sort((a, b) => (isNewer(a, b) ? -1 : 1))[0];
  }
}

/** In these states, a schedule of the tenant can only be in the ledger of this realm. */
const LIVES_HERE: readonly TenantState[] = ['active', 'frozen', 'opening'];

/**
 * The realm where a tenant lives, for which every other realm is asked: the tenant may have left
 * the one that a stub names, which may know nothing any more.
 */
export async function homeOf(
  { ports: { tenants }, settings }: AppContext,
  tenant: string,
): Promise<Realm> {
  const realms = stackRealms(settings);
  const [here] = realms;
  const livesIn = async (realm: Realm) => {
    const record = await tenants.read(realm, tenant);
    return record !== undefined && LIVES_HERE.includes(record.state);
  };
  if (await livesIn(here)) return here;
  const found = await Promise.all(realms.map(livesIn));
  return realms.find((_, at) => found[at]) ?? here;
}

/**
 * A rollback whose token has the same second as this schedule, and which was delayed: the token
 * does not say whether it came before or after the schedule. A migration that a later token started
 * had not been undone until then, so that the rollback was for the migration before.
 */
const isOfForerunner = ({ scheduledIat, startedIat }: Migration, iat: number): boolean =>
  scheduledIat === iat && startedIat !== undefined && startedIat > iat;

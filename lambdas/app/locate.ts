/** Which migration a hook means, whichever realm it arrived in. */
import { isLater, type Migration } from '../domain/moving/migration.ts';
import type { Realm } from '../domain/realm.ts';
import type { Caller } from '../domain/requests.ts';
import type { TenantState } from '../domain/tenants/tenant.ts';
import { type AppContext, stackRealms } from './app-context.ts';

/**
 * Hooks go to the source's base URL. One that arrives where the tenant is a copy, or has a receipt, is led to the
 * source's ledger by what stands there. Where the tenant lives elsewhere, or did once, the ledgers of all realms are asked: an
 * answer by what is not known here would be one about nothing.
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
  // A tombstone may stand beside the migration itself, in another realm: the migration is what is meant.
  const known = [own, ...found].filter((migration) => migration !== undefined);
  return known.find(({ facts }) => facts !== undefined) ?? known[0];

  /**
   * Without an id, the tenant's last migration out of this realm is meant: hooks go to the source. Never one that was
   * scheduled after the token was issued; and a schedule that was refused concerns nobody but its rollback.
   */
  async function latest({ iat }: Caller): Promise<Migration | undefined> {
    const known = (await migrations.list(here, tenant)).filter(
      ({ scheduledIat }) => scheduledIat <= iat,
    );
    const meant =
      hook === 'rollback'
        ? known.filter((migration) => !isOfForerunner(migration, iat))
        : known.filter(({ facts }) => facts !== undefined);
    // By when Atlassian said so: a delayed repetition of an old schedule is no newer for having come late.
    const isNewer = (a: Migration, b: Migration) =>
      a.scheduledIat === b.scheduledIat ? isLater(a, b) : a.scheduledIat > b.scheduledIat;
    return meant.sort((a, b) => (isNewer(a, b) ? -1 : 1))[0];
  }
}

/** In these, a schedule of the tenant can only be in the ledger of this realm. */
const LIVES_HERE: readonly TenantState[] = ['active', 'frozen', 'opening'];

/**
 * The realm that a tenant lives in, which every other is asked for: the one that a stub names may have been left since, and
 * may know nothing any more.
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
 * A rollback issued in the very second of this schedule, and delayed: before or after it, its token cannot say. What was
 * started by a later token had not been undone until then, so that the rollback was of the migration before.
 */
const isOfForerunner = ({ scheduledIat, startedIat }: Migration, iat: number): boolean =>
  scheduledIat === iat && startedIat !== undefined && startedIat > iat;

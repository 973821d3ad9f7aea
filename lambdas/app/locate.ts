/** Which migration a hook means, whichever realm it arrived in. */
import { isFinal, isLater, type Migration } from '../domain/migration.ts';
import type { Realm } from '../domain/realm.ts';
import type { Ports } from '../ports.ts';

/** The tenant whose token was verified, and when the token was issued (epoch seconds). */
interface Caller {
  readonly tenant: string;
  readonly iat: number;
}

/**
 * Hooks go to the source's base URL. One that arrives where the tenant is a copy, or has a receipt, is led to the
 * source's ledger by what stands there.
 */
export async function locate(
  { tenants, ledger }: Pick<Ports, 'tenants' | 'ledger'>,
  here: Realm,
  caller: Caller,
  id: string | undefined,
): Promise<Migration | undefined> {
  const { tenant } = caller;
  if (id === undefined) return latest(caller);
  const own = await ledger.read({ ledger: here, tenant, id });
  if (own) return own;
  const record = await tenants.read(here, tenant);
  const named = [record?.migration, record?.arrivedBy].includes(id) ? record?.ledger : undefined;
  const home = named ?? (await ledger.readReceipt(here, tenant, id))?.source;
  return home === undefined || home === here
    ? undefined
    : ledger.read({ ledger: home, tenant, id });

  /** Without an id, the tenant's open migration is meant, or else its last one; never one scheduled after the token was issued. */
  async function latest({ iat }: Caller): Promise<Migration | undefined> {
    const home = (await tenants.read(here, tenant))?.ledger;
    const lists = [ledger.list(here, tenant)];
    if (home !== undefined && home !== here) lists.push(ledger.list(home, tenant));
    const known = (await Promise.all(lists))
      .flat()
      .filter(({ scheduledIat }) => scheduledIat <= iat);
    const open = known.filter((migration) => !isFinal(migration));
    const [last] = (open.length > 0 ? open : known).sort((a, b) => (isLater(a, b) ? -1 : 1));
    return last;
  }
}

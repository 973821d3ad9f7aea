/**
 * The questions before a hook or an import opens a realm for a tenant: may it have its keys, and
 * does its installation belong to another tenant?
 */
import { ownerOfShard, shardsOf } from '../domain/datasets/dataset.ts';
import { misplacement } from '../domain/datasets/key-placement.ts';
import { type KeyValues, keyValuesOf } from '../domain/datasets/key-values.ts';
import { defined } from '../domain/defined.ts';
import { isClientKey } from '../domain/requests.ts';
import { isForgeOnly } from '../domain/tenants/identity.ts';
import { type Arrival, abandonOpening } from '../domain/tenants/takeover.ts';
import { type AppContext, stackRealms } from './app-context.ts';
import { identification } from './identification.ts';
import { type Rival, tenantKeys } from './tenant-keys.ts';

/** What is known of a tenant that arrives. */
type Arriving = Pick<Arrival, 'tenant' | 'identity'> & Partial<Pick<Arrival, 'installation'>>;

export function arrivals(context: AppContext) {
  const { tenants } = context.ports;
  const { realm: here, parts } = context.settings;
  const { othersOf } = identification(context);
  const keys = tenantKeys(context);

  /**
   * Why a tenant may not arrive: its name is a shard of another tenant's, or another's is a shard
   * of its own, so that a key of one could be taken for a key of the other. `undefined` where it
   * may.
   */
  async function sharedKey({
    tenant,
    installation,
    identity,
  }: Arriving): Promise<string | undefined> {
    const owner = ownerOfShard(parts, tenant);
    if (owner !== undefined)
      return `the client key is a shard of tenant ${owner.tenant} in part ${owner.part}`;
    const namesakes = shardsOf(parts, tenant).filter(isClientKey);
    const found = await Promise.all(namesakes.map((name) => tenants.read(here, name)));
    const taken = found.find((record) => record !== undefined)?.tenant;
    if (taken !== undefined) return `tenant ${taken} is called like a shard of it`;
    return misplacement(parts, keyValuesOf({ ...identity, tenant, ...defined({ installation }) }));
  }

  /**
   * Looks in every realm for another tenant that has a key of this one. It runs after the opening
   * is written and before the realm is opened: of two that arrive at once, at least one sees the
   * other.
   */
  const rivalOf = (values: KeyValues): Promise<Rival | undefined> =>
    keys.rivalIn(stackRealms(context.settings), values);

  /**
   * Connect and Forge may announce one installation at the same instant, each for a tenant of its
   * own. Each writes its opening before it looks for the other's, so that at least one of them sees
   * both: the tenant that came by Connect stays, unless the other serves already. Returns the
   * arrival as one for the tenant that stays, or `undefined` when this one does.
   */
  async function joinedTwin(arrival: Arrival): Promise<Arrival | undefined> {
    const { tenant, credentials, identity } = arrival;
    const cameByForge = tenant.startsWith('#');
    const [twin] = (await othersOf(arrival)).filter((other) => cameByForge || isForgeOnly(other));
    if (twin === undefined) return undefined;
    if (!cameByForge) {
      const { record } = await tenants.change(here, twin.tenant, (current) =>
        abandonOpening(current, current?.openingIat ?? 0),
      );
      if (record === undefined) return undefined;
    }
    await tenants.change(here, tenant, (current) => abandonOpening(current, credentials.iat));
    return {
      ...arrival,
      tenant: twin.tenant,
      identity: cameByForge ? { ...identity } : { ...identity, clientKey: tenant },
    };
  }

  return { sharedKey, rivalOf, joinedTwin };
}

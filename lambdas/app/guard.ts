/**
 * The guard, which every handler of the app asks first, stream and queue consumers included: does
 * this realm serve the tenant, and may it be written? It is asked once per invocation and reads
 * strongly consistently. A Lambda cannot outlive its timeout, so that no write that passed before
 * the fence is under way after the drain time.
 */
import type { Realm } from '../domain/realm.ts';
import { type Access, type Verdict, verdictOn } from '../domain/tenants/verdict.ts';
import type { Ports } from '../ports.ts';

export interface GuardSettings {
  readonly realm: Realm;
  readonly baseUrls: Readonly<Record<Realm, string>>;
}

export function guard({ tenants }: Pick<Ports, 'tenants'>, { realm, baseUrls }: GuardSettings) {
  return async function check(tenant: string, access: Access): Promise<Verdict> {
    return verdictOn(await tenants.read(realm, tenant), access, baseUrls);
  };
}

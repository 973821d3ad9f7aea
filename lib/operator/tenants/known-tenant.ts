/** A mistyped name is refused before anything is read, asked or written for it. */

import type { Operator } from '../operator.ts';
import { Failure } from '../terminal/failure.ts';

type Reads = Pick<Operator, 'tenants' | 'realms'>;

export async function isKnown({ tenants, realms }: Reads, tenant: string): Promise<boolean> {
  const records = await Promise.all(realms.map((realm) => tenants.read(realm, tenant)));
  return records.some((record) => record !== undefined);
}

export const unknownTenant = (tenant: string): Failure =>
  new Failure(`no realm knows the tenant ${tenant}`);

/** Throws unless a realm has a record of the tenant. */
export async function assertKnown(reads: Reads, tenant: string): Promise<void> {
  if (!(await isKnown(reads, tenant))) throw unknownTenant(tenant);
}

/**
 * The form of an alias in DynamoDB, and the tenants that it leads to. Nothing here calls AWS:
 * `packages/guard` reads the same items.
 */
import { isCalled, type TenantName } from '../../domain/tenants/identity.ts';
import type { TenantRecord } from '../../domain/tenants/tenant.ts';

type Item = Readonly<Record<string, unknown>>;

/** Without `expiresAt` (epoch seconds), the holder stays for as long as its record. */
export interface Holder {
  readonly tenant: string;
  readonly expiresAt?: number;
}

/** `#` begins no client key, so that an alias is never taken for a record. */
export const aliasKeyOf = ({ kind, value }: TenantName): string => `#${kind}#${value}`;

/** `now` in epoch seconds. */
export const isOver = ({ expiresAt }: Holder, now: number): boolean =>
  expiresAt !== undefined && expiresAt <= now;

/** The ids of the tenants that may have the name. `now` in epoch seconds. */
export const holding = (holders: readonly Holder[], now: number): readonly string[] =>
  holders.filter((holder) => !isOver(holder, now)).map(({ tenant }) => tenant);

/** An alias is a hint: returns the tenants whose own record has the name. */
export async function tenantsCalled(
  name: TenantName,
  holdersOf: (name: TenantName) => Promise<readonly string[]>,
  read: (tenant: string) => Promise<TenantRecord | undefined>,
): Promise<readonly TenantRecord[]> {
  const records = await Promise.all((await holdersOf(name)).map(read));
  return records.flatMap((record) => (record && isCalled(record, name) ? [record] : []));
}

/** The item expires when its last holder does. */
export function toAliasItem(holders: readonly Holder[]): Item {
  const ends = holders.map(({ expiresAt }) => expiresAt ?? Number.POSITIVE_INFINITY);
  const last = Math.max(...ends);
  return { holders, ...(Number.isFinite(last) ? { expiresAt: last } : {}) };
}

export function fromAliasItem(item: Item): readonly Holder[] {
  const { holders } = item;
  if (!Array.isArray(holders)) throw new Error('an alias has no holders');
  // Only toAliasItem writes these items.
  return holders as readonly Holder[];
}

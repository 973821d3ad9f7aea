/**
 * Adoption: an operator says that an installation is a tenant's, or that it is not. It is for tenants of Connect whose cloud
 * id was never learned, and whose app was updated to Forge without an announcement: their host name is all that they share
 * with the installation, and proves nothing.
 */
import { withIdentity, withSite } from './identity.ts';
import type { Adoption, TenantRecord } from './tenant.ts';

/** The tenant has the installation from now on. `iat` in epoch seconds. */
export const adopted = (record: TenantRecord, word: Adoption, iat: number): TenantRecord =>
  withIdentity(record, {
    installations: [{ id: word.installation, iat }],
    ...(word.cloudId !== undefined && { cloudId: word.cloudId }),
    adoptions: [word],
  });

/** The installation, and its cloud id, are nobody's here; what the tenant has of its own stays. */
export function disowned(record: TenantRecord, word: Adoption): TenantRecord {
  const { cloudId, ...rest } = withIdentity(record, { adoptions: [word] });
  const isTaken = cloudId === undefined || cloudId === word.cloudId;
  return { ...rest, ...(!isTaken && { cloudId }) };
}

/** Why an installation of this cloud id cannot be the tenant's; `undefined` where it can. */
export function strangeCloud(
  record: TenantRecord,
  cloudId: string | undefined,
): string | undefined {
  const known = withSite(record).cloudId;
  return known === undefined || cloudId === undefined || known === cloudId
    ? undefined
    : `the tenant is known to be of cloud ${known}`;
}

/** The cloud id that the tenant's own signed installation names cannot be taken from it. */
export const isItsOwnCloud = ({ installation }: TenantRecord, cloudId: string | undefined) =>
  cloudId !== undefined && String(installation['cloudId']).toLowerCase() === cloudId;

/**
 * A tenant that Forge has announced for an installation that turns out to be another's: it has no names any more, and what it
 * has stored is kept until an operator says what becomes of it. `now` in epoch milliseconds.
 */
export function setAside(record: TenantRecord, now: number): TenantRecord | undefined {
  if (record.state !== 'active') return undefined;
  const { installations: _i, cloudId: _c, ...rest } = record;
  return { ...rest, state: 'retired', keep: true, uninstalledIat: Math.floor(now / 1000) };
}

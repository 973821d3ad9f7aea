/**
 * Adoption: an operator says that an installation is a tenant's, or that it is not. It is for
 * Connect tenants whose cloud id was never learned, and whose app was updated to Forge without an
 * announcement. They share only a host name with the installation, which proves nothing.
 */
import { defined } from '../defined.ts';
import { withIdentity, withSite } from './identity.ts';
import type { Adoption, TenantRecord } from './tenant.ts';

/** The installation now belongs to the tenant. `iat` in epoch seconds. */
export const adopted = (record: TenantRecord, word: Adoption, iat: number): TenantRecord =>
  withIdentity(record, {
    installations: [{ id: word.installation, iat }],
    ...defined({ cloudId: word.cloudId }),
    adoptions: [word],
  });

/** Takes the installation and its cloud id from the tenant; its other names stay. */
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

/**
 * True for the cloud id that the tenant's own signed installation names, which cannot be taken from
 * it.
 */
export const isItsOwnCloud = ({ installation }: TenantRecord, cloudId: string | undefined) =>
  cloudId !== undefined && String(installation['cloudId']).toLowerCase() === cloudId;

/**
 * Retires a tenant that Forge announced for an installation which belongs to another tenant. It
 * keeps no names. Its data stays until an operator decides about it. `now` in epoch milliseconds.
 */
export function setAside(record: TenantRecord, now: number): TenantRecord | undefined {
  if (record.state !== 'active') return undefined;
  const { installations: _i, cloudId: _c, ...rest } = record;
  return { ...rest, state: 'retired', keep: true, uninstalledIat: Math.floor(now / 1000) };
}

/** DATA: the attributes of a tenant's record that operators may see: all but `sharedSecret`. */
import type { TenantRecord } from '../lambdas/domain/tenants/tenant.ts';

/**
 * The attributes of a tenant's record but `sharedSecret`, and the owner of an alias. The type keeps
 * the list complete.
 */
const SHOWN: Readonly<
  Record<
    | Exclude<keyof TenantRecord, 'credentials'>
    | 'credentialsIat'
    | 'credentialsTokens'
    | 'revision'
    | 'holders'
    | 'purgeOf',
    true
  >
> = {
  tenant: true,
  state: true,
  credentialsIat: true,
  credentialsTokens: true,
  installation: true,
  clientKey: true,
  installations: true,
  formerInstallations: true,
  cloudId: true,
  product: true,
  tenantKey: true,
  adoptions: true,
  migration: true,
  ledger: true,
  arrivedBy: true,
  released: true,
  fencedAt: true,
  movedTo: true,
  wasOpen: true,
  unclean: true,
  uninstalledIat: true,
  purgeDueAt: true,
  purge: true,
  purgeOf: true,
  keep: true,
  openingIat: true,
  expiresAt: true,
  revision: true,
  holders: true,
};

export const SHOWN_ATTRIBUTES: readonly string[] = Object.keys(SHOWN);

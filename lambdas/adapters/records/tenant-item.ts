/**
 * The form of a tenant's record in DynamoDB. Nothing here calls AWS: `packages/guard` reads the
 * same items.
 */
import { defined } from '../../domain/defined.ts';
import type { TenantRecord } from '../../domain/tenants/tenant.ts';

type Item = Readonly<Record<string, unknown>>;

/**
 * The secret is an attribute of its own, so that a policy can withhold it from operators. The
 * installation is JSON text, because it is Atlassian's and may hold values for which DynamoDB has
 * no type.
 */
export function toTenantItem({ credentials, installation, ...record }: TenantRecord): Item {
  return {
    ...record,
    installation: JSON.stringify(installation),
    ...defined({ sharedSecret: credentials.sharedSecret }),
    credentialsIat: credentials.iat,
    credentialsTokens: credentials.tokens,
    ...(isPurgedLater(record) && { purgeOf: RETIRED }),
  };
}

/** The one partition of the index of tenants that will be purged. */
export const RETIRED = 'retired';
const isPurgedLater = ({
  state,
  keep,
  purgeDueAt,
}: Pick<TenantRecord, 'state' | 'keep' | 'purgeDueAt'>) =>
  (state === 'retired' || state === 'purging' || state === 'opening') &&
  !keep &&
  purgeDueAt !== undefined;

export function fromTenantItem(item: Item): TenantRecord {
  const {
    sharedSecret,
    credentialsIat,
    credentialsTokens,
    installation,
    revision: _,
    purgeOf: __,
    ...record
  } = item;
  if (typeof credentialsIat !== 'number' || typeof installation !== 'string') {
    throw new Error('a tenant record has no credentials, or no installation');
  }
  // Only toTenantItem writes these items.
  return {
    ...(record as Omit<TenantRecord, 'credentials' | 'installation'>),
    installation: JSON.parse(installation),
    credentials: {
      ...(typeof sharedSecret === 'string' ? { sharedSecret } : {}),
      iat: credentialsIat,
      ...(Array.isArray(credentialsTokens) && { tokens: credentialsTokens }),
    },
  };
}

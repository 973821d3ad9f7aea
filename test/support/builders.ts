/** Records and requests with sensible contents, of which a test sets only what it is about. */
import type { Item } from '../../lambdas/adapters/dataset/item-key.ts';
import type { Facts, Migration } from '../../lambdas/domain/moving/migration.ts';
import type { RangeRecord } from '../../lambdas/domain/moving/range-record.ts';
import type { Receipt } from '../../lambdas/domain/moving/receipt.ts';
import type { Arrival } from '../../lambdas/domain/tenants/takeover.ts';
import type { TenantRecord } from '../../lambdas/domain/tenants/tenant.ts';
import type { Clock } from '../../lambdas/ports.ts';
import { HOUR } from './clock.ts';

export const TENANT = 'tenant-1';

export const tenantRecord = (rest: Partial<TenantRecord> = {}): TenantRecord => ({
  tenant: TENANT,
  state: 'active',
  credentials: { sharedSecret: 'secret-1', iat: 1_000 },
  installation: { clientKey: TENANT, baseUrl: 'https://one.example', productType: 'confluence' },
  ...rest,
});

export const migrationRecord = (rest: Partial<Migration> = {}): Migration => ({
  ledger: 'us',
  tenant: TENANT,
  id: '57500',
  status: 'scheduled',
  source: 'us',
  target: 'de',
  facts: {
    location: 'de',
    startTime: '2026-12-26T00:00:00.000Z',
    endTime: '2026-12-26T02:00:00.000Z',
  },
  scheduledAt: '2026-12-25T12:00:00.000Z',
  scheduledIat: 1_000,
  updatedAt: '2026-12-25T12:00:00.000Z',
  attempt: 0,
  ...rest,
});

export const receiptOf = (rest: Partial<Receipt> = {}): Receipt => ({
  tenant: TENANT,
  id: '57500',
  source: 'us',
  target: 'de',
  state: 'ready-to-commit',
  at: '2026-12-26T01:00:00.000Z',
  checksums: {},
  ...rest,
});

export const rangeRecord = (rest: Partial<RangeRecord> = {}): RangeRecord => ({
  range: 'templates/00',
  revision: 0,
  work: 'copy',
  asOf: 1_000,
  lastingUntil: 2_000,
  tries: 0,
  done: false,
  ...rest,
});

/**
 * A window that begins `startsIn` milliseconds from now; the location is written as Atlassian
 * writes it.
 */
export function factsFrom(
  clock: Clock,
  { location = 'DE', startsIn = HOUR, lasts = 2 * HOUR } = {},
): Facts {
  const start = clock.now() + startsIn;
  return {
    location,
    startTime: new Date(start).toISOString(),
    endTime: new Date(start + lasts).toISOString(),
  };
}

/** Issued now; a later one wins. */
export const arrivalAt = (
  clock: Clock,
  sharedSecret: string,
  tenant: string = TENANT,
  secondsAgo = 0,
): Arrival => ({
  tenant,
  credentials: {
    sharedSecret,
    iat: Math.floor(clock.now() / 1000) - secondsAgo,
    tokens: [`the token that brought ${sharedSecret}`],
  },
  installation: { clientKey: tenant, baseUrl: `https://${tenant}.example` },
});

/** An item of a part whose keys are `tenant` and `id`. */
export const itemOf = (partition: string, id: string, text: string = `text of ${id}`): Item => ({
  tenant: { S: partition },
  id: { S: id },
  text: { S: text },
});

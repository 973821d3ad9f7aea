/** A rehearsal: a sample of a tenant's items, copied to where no tenant can be, verified, and discarded. */
import type { MigrationKey } from '../moving/migration.ts';
import type { Realm } from '../realm.ts';
import { invalid } from '../refusal.ts';
import { isTenantId } from '../requests.ts';

/** In the place of a tenant's name: no client key begins with `#`, and so none of its partition keys is anybody's. */
export const REHEARSAL = '#rehearsal';

/** The record whose lease guards the rehearsal's keys in a realm; `#` keeps it apart from every tenant's. */
export const LEASE: MigrationKey = { ledger: REHEARSAL, tenant: REHEARSAL, id: 'lease' };

export interface RehearsalRequest {
  readonly tenant: string;
  readonly source: Realm;
  /** Items of the sample, over all parts. */
  readonly items: number;
}

export interface RehearsalReport {
  readonly source: Realm;
  readonly target: Realm;
  /** What an earlier rehearsal had left behind when it died. Discarded before anything else. */
  readonly leftovers: number;
  readonly items: number;
  readonly bytes: number;
  readonly ranges: number;
  /** What was read back is what was written. */
  readonly verified: boolean;
  /** Strongly consistent reads have found nothing of it any more. */
  readonly provenEmpty: true;
  /** The day from which no point-in-time backup of the target holds the sample any more (YYYY-MM-DD). */
  readonly backupsExpire: string;
  readonly measured: Measured;
}

/** It cannot be now, or not of this tenant; asking again may help. */
export interface RehearsalRefused {
  readonly refused: string;
}

/** Milliseconds, as the function found them that runs where the workers of a move do. */
export interface Measured {
  /** One record, from the source and from the target. */
  readonly sourceMs: number;
  readonly targetMs: number;
  /** Per call on records, with as many at once as a move makes. */
  readonly callMs: number;
  /** The whole sample: written, and read back. */
  readonly copyMs: number;
  readonly readMs: number;
  /** A much smaller one of the same ranges: what does not grow with the items. */
  readonly few: { readonly items: number; readonly copyMs: number; readonly readMs: number };
  /** How long a move waits for writes that had passed the guard. */
  readonly drainMs: number;
}

export const MOST_SAMPLED = 20_000;

/** Throws a refusal that names the field. */
export function rehearsalRequest(input: unknown): RehearsalRequest {
  const { tenant, source, items }: Record<string, unknown> = {
    ...(typeof input === 'object' ? input : {}),
  };
  if (!isTenantId(tenant)) throw invalid('tenant is no id of a tenant');
  if (typeof source !== 'string') throw invalid('source names no realm');
  if (typeof items !== 'number' || !Number.isInteger(items) || items < 1 || items > MOST_SAMPLED)
    throw invalid(`items is a whole number from 1 to ${MOST_SAMPLED}`);
  return { tenant, source, items };
}

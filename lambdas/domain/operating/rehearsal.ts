/**
 * A rehearsal: a sample of a tenant's items is copied to keys that no tenant can have, verified,
 * and discarded.
 */
import { type Part, partitionsOf, type Range, rangesOf } from '../datasets/dataset.ts';
import { typeOfMade } from '../datasets/key-template.ts';
import type { KeyValues } from '../datasets/key-values.ts';
import { kindOf } from '../datasets/kinds.ts';
import type { MigrationKey } from '../moving/migration.ts';
import type { Realm } from '../realm.ts';
import { invalid } from '../refusal.ts';
import { isTenantId } from '../requests.ts';

/**
 * Replaces the tenant's name in keys. No client key begins with `#`, so that these partition keys
 * belong to no tenant.
 */
export const REHEARSAL = '#rehearsal';

/** So many of a tenant's installations are in a sample. */
const SAMPLED_INSTALLATIONS = 8;

/**
 * No tenant has one of these: no id begins with `#`, and no number that a tenant has is negative.
 */
function rehearsalValues(part: Part): KeyValues {
  const tenantKeys = { S: REHEARSAL, N: '-1', B: btoa(REHEARSAL) };
  return {
    tenant: REHEARSAL,
    cloudId: REHEARSAL,
    installations: Array.from({ length: SAMPLED_INSTALLATIONS }, (_, at) => `${REHEARSAL}-${at}`),
    tenantKey: tenantKeys[typeOfMade(part)],
  };
}

/**
 * Where the samples of a rehearsal are written, and nothing else. A table that is scanned gets no
 * sample: its keys are entities' own. Nor does a bucket: no object is made twice for a measurement.
 */
export const rehearsalRanges = (parts: readonly Part[]): readonly Range[] =>
  parts
    .filter((part) => part.discover === undefined && kindOf(part).isSampled)
    .flatMap((part) => rangesOf([part], rehearsalValues(part)));

export const isRehearsalKey = (part: Part, key: string): boolean =>
  partitionsOf(part, rehearsalValues(part)).includes(key);

/**
 * The record whose lease guards the rehearsal's keys in a realm; `#` keeps it apart from every
 * tenant's.
 */
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
  /** Items that a killed rehearsal left. They are discarded first. */
  readonly leftovers: number;
  readonly items: number;
  readonly bytes: number;
  readonly ranges: number;
  /** The items that were read back are those that were written. */
  readonly verified: boolean;
  /** Strongly consistent reads found no item of it. */
  readonly provenEmpty: true;
  /**
   * The day from which no point-in-time backup of the target holds the sample any more
   * (YYYY-MM-DD).
   */
  readonly backupsExpire: string;
  readonly measured: Measured;
}

/** The rehearsal is impossible now, or for this tenant. Asking again may help. */
export interface RehearsalRefused {
  readonly refused: string;
}

/** Milliseconds, measured by a function that runs where the workers of a move run. */
export interface Measured {
  /** The read of one record, from the source and from the target. */
  readonly sourceMs: number;
  readonly targetMs: number;
  /** Per call on records, with as many calls at once as a move makes. */
  readonly callMs: number;
  /** The whole sample: written, and read back. */
  readonly copyMs: number;
  readonly readMs: number;
  /**
   * A much smaller sample of the same ranges, which shows the time that does not grow with the
   * items.
   */
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

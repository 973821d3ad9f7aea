/**
 * What an operator asks of tenants as a whole, parsed at the edge: to be brought in, or to be
 * retired as by an uninstallation.
 */
import type { Realm } from '../realm.ts';
import { invalid } from '../refusal.ts';
import { isTenantId } from '../requests.ts';
import { type ImportRow, importRow } from '../tenants/import-row.ts';
import type { ImportOutcome } from '../tenants/importing.ts';
import { isActor } from './operations.ts';

export type TenantsOperation =
  | {
      readonly verb: 'import';
      /** The realm that has their data. */
      readonly realm: Realm;
      readonly rows: readonly ImportRow[];
      /** Without it nothing is written, and the answer says what would be. */
      readonly apply: boolean;
      readonly actor: string;
    }
  | {
      readonly verb: 'retire';
      readonly realm: Realm;
      readonly tenant: string;
      /** Atlassian knew no installation of it then. Epoch seconds. */
      readonly iat: number;
      readonly actor: string;
    };

/**
 * The outcome of each row, in the order in which they were asked. `failed`: it is not known whether
 * it was written; asking again is safe.
 */
export interface ImportAnswer {
  readonly outcome: ImportOutcome | 'failed';
  readonly says: string;
  /** The id by which the tenant is kept, where it is known. */
  readonly tenant?: string;
  /** This call wrote it. */
  readonly written: boolean;
}

export interface ImportAnswers {
  readonly rows: readonly ImportAnswer[];
}

/** `left-alone`: it was retired already, or it was installed since. */
export interface RetireAnswer {
  readonly outcome: 'retired' | 'cancelling' | 'left-alone' | 'refused';
  readonly message: string;
}

/** So many rows of one call are done well within the time of a function. */
export const MOST_ROWS = 50;

/** `now` in epoch milliseconds. Throws a refusal that names the field, and never its value. */
export function tenantsOperation(input: unknown, now: number): TenantsOperation {
  const { verb, realm, rows, apply, tenant, iat, actor }: Readonly<Record<string, unknown>> =
    Object(input);
  if (typeof realm !== 'string') throw invalid('realm names no realm');
  if (!isActor(actor)) throw invalid('actor says in 1 to 128 plain characters who asks');
  if (verb === 'import') {
    if (!Array.isArray(rows) || rows.length === 0 || rows.length > MOST_ROWS)
      throw invalid(`rows is a list of 1 to ${MOST_ROWS}`);
    if (typeof apply !== 'boolean') throw invalid('apply is true or false');
    return { verb, realm, rows: rows.map((row) => importRow(row, now)), apply, actor };
  }
  if (verb !== 'retire') throw invalid('verb is neither import nor retire');
  if (!isTenantId(tenant)) throw invalid('tenant is no id of a tenant');
  if (typeof iat !== 'number' || !Number.isInteger(iat) || iat <= 0)
    throw invalid('iat is no time');
  if (iat > now / 1000) throw invalid('iat is in the future');
  return { verb, realm, tenant, iat, actor };
}

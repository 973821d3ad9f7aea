/** The signed-off record of a move: kept in both ledgers, and without any content of the customer's. */

import type { Realm } from '../realm.ts';
import type { PartSeal } from './migration.ts';

export interface Receipt {
  readonly tenant: string;
  readonly id: string;
  readonly source: Realm;
  readonly target: Realm;
  readonly state: 'ready-to-commit' | 'committed' | 'rolled-back';
  readonly at: string;
  readonly seals: Readonly<Record<string, PartSeal>>;
  /** Ranges that strongly consistent reads found empty in the realm that was left, and when. */
  readonly provenEmpty?: {
    readonly realm: Realm;
    readonly at: string;
    readonly ranges: readonly string[];
  };
  /** The day from which no point-in-time backup of the left realm holds the data any more (YYYY-MM-DD). */
  readonly backupsExpire?: string;
}

/** One check of `doctor`, and its two outcomes. */
import type { Realm } from '../../../lambdas/domain/realm.ts';

export interface Check {
  readonly realm: Realm | 'all';
  readonly check: string;
  readonly ok: boolean;
  readonly says: string;
  /** What the operator does about it. */
  readonly fix?: string;
}

export type Found = Omit<Check, 'realm' | 'check'>;

export const fine = (says: string): Found => ({ ok: true, says });
export const bad = (says: string, fix: string): Found => ({ ok: false, says, fix });

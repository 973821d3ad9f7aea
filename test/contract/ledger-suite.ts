/**
 * What the contracts of the ledger's six stores share: one host for all, and a tenant for each
 * test.
 */
import type { MigrationKey } from '../../lambdas/domain/moving/migration.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import type { Ledger } from '../../lambdas/ports.ts';
import type { ManualClock } from '../support/clock.ts';
import type { CollectedLog } from '../support/log.ts';

export interface LedgerHost {
  readonly ledger: Ledger;
  readonly log: CollectedLog;
  /** Writes into the item of a tenant's settings, as an operator with a console does. */
  setSettings(
    realm: Realm,
    settings: Readonly<Record<string, unknown>>,
    tenant: string,
  ): Promise<void>;
  setReachable(isReachable: boolean): void;
  beforeNextWrite(act: () => Promise<void>): void;
  /** Loses the replies of the next `count` writes: each is made, and the client sends it again. */
  loseReplies(count: number): void;
  close(): Promise<void>;
}

export interface LedgerSuite {
  readonly the: () => LedgerHost;
  readonly ledger: () => Ledger;
  readonly clock: ManualClock;
  /** Belongs to this test alone. */
  readonly tenant: () => string;
  /** Belongs to this test alone, from 1 on. */
  readonly number: () => number;
  readonly keyOf: (id?: string, realm?: Realm) => MigrationKey;
}

/** What the contracts of the six stores of the ledger have in common: one host for all of them, and a tenant for each test. */
import type { MigrationKey } from '../../lambdas/domain/moving/migration.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import type { Ledger } from '../../lambdas/ports.ts';
import type { ManualClock } from '../support/clock.ts';
import type { CollectedLog } from '../support/log.ts';

export interface LedgerHost {
  readonly ledger: Ledger;
  readonly log: CollectedLog;
  /** Writes into the item of a tenant's settings as somebody with a console does. */
  setSettings(
    realm: Realm,
    settings: Readonly<Record<string, unknown>>,
    tenant: string,
  ): Promise<void>;
  setReachable(isReachable: boolean): void;
  beforeNextWrite(act: () => Promise<void>): void;
  /** Of the next writes: each happens, and the client has to send it again. */
  loseReplies(count: number): void;
  close(): Promise<void>;
}

export interface LedgerSuite {
  readonly the: () => LedgerHost;
  readonly ledger: () => Ledger;
  readonly clock: ManualClock;
  /** Of this test alone. */
  readonly tenant: () => string;
  /** Of this test alone, from 1 on. */
  readonly number: () => number;
  readonly keyOf: (id?: string, realm?: Realm) => MigrationKey;
}

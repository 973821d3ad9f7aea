/** What an audit has read, and what it says of it. */
import type { Part } from '../../../lambdas/domain/datasets/dataset.ts';
import type { Migration } from '../../../lambdas/domain/moving/migration.ts';
import type { Receipt, ReceiptLink } from '../../../lambdas/domain/moving/receipt.ts';
import type { Slot } from '../../../lambdas/domain/moving/slots.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { TenantFacts } from '../tenants/tenant-reader.ts';
import type { KeySample } from './key-sample.ts';

export type FindingKind =
  | 'items-without-active-record'
  | 'versions-without-active-record'
  | 'keys-of-no-tenant'
  | 'active-twice'
  | 'stub-past-expiry'
  | 'retired-past-purge-date'
  | 'receipt-without-counterpart'
  | 'receipt-not-as-signed'
  | 'receipt-chain-broken'
  | 'slot-without-migration'
  | 'rehearsal-leftover'
  | 'record-of-final-migration'
  | 'alias-without-record';

export interface Finding {
  readonly kind: FindingKind;
  readonly realm: Realm;
  readonly tenant?: string;
  readonly migration?: string;
  readonly part?: string;
  readonly items?: number;
  readonly says: string;
}

/** Everything that an audit has read, from all realms that it looked at. */
export interface Evidence {
  readonly parts: readonly Part[];
  readonly records: readonly { readonly realm: Realm; readonly record: TenantFacts }[];
  readonly migrations: readonly Migration[];
  readonly receipts: readonly { readonly realm: Realm; readonly receipt: Receipt }[];
  /** The chain of each realm's receipts, and the public key that verifies them. */
  readonly chains: readonly {
    readonly realm: Realm;
    readonly links: readonly ReceiptLink[];
    readonly publicKey: string;
  }[];
  /** The one tenant that the audit is about; `undefined` for all tenants. */
  readonly tenant?: string | undefined;
  readonly slots: readonly { readonly realm: Realm; readonly slot: Slot }[];
  readonly aliases: readonly {
    readonly realm: Realm;
    readonly alias: string;
    readonly tenant: string;
    readonly expiresAt?: number;
  }[];
  /** Partition keys that hold items, and prefixes that hold anything. */
  readonly partitions: readonly Partition[];
  /** Samples of keys; empty where whole tables were read. */
  readonly samples: readonly KeySample[];
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface Partition {
  readonly realm: Realm;
  readonly part: string;
  readonly partition: string;
  /** 0: a prefix with old versions, delete markers or open uploads alone. */
  readonly items: number;
}

/** Stands for all keys of a bucket that have no prefix. */
export const WITHOUT_PREFIX = '(keys without a prefix)';

export const migrationName = (ledger: Realm, tenant: string, id: string): string =>
  JSON.stringify([ledger, tenant, id]);

export const byName = (migrations: readonly Migration[]): ReadonlyMap<string, Migration> =>
  new Map(migrations.map((one) => [migrationName(one.ledger, one.tenant, one.id), one]));

/** The signed record of a move, kept in both ledgers. It holds none of the customer's content. */
import type { Realm } from '../realm.ts';
import type { HistoryEntry } from './history.ts';
import type { Ahead, PartChecksum } from './migration.ts';

export interface Receipt {
  readonly tenant: string;
  readonly id: string;
  readonly source: Realm;
  readonly target: Realm;
  readonly state: 'ready-to-commit' | 'committed' | 'rolled-back';
  readonly at: string;
  readonly checksums: Readonly<Record<string, PartChecksum>>;
  /** Ranges that strongly consistent reads found empty in the realm that was left, and when. */
  readonly provenEmpty?: {
    readonly realm: Realm;
    readonly at: string;
    readonly ranges: readonly string[];
  };
  /**
   * How many items each part held before it was proven empty, expired ones included. For a part
   * that held none, the proof says only that nothing was there, or that the wrong keys were read.
   */
  readonly held?: Readonly<Record<string, number>>;
  /**
   * What was copied before the window; of a migration that was rolled back, it was discarded with
   * the rest.
   */
  readonly ahead?: Ahead;
  /**
   * The day from which no point-in-time backup of the left realm holds the data of its tables any
   * more (YYYY-MM-DD). A bucket has no backup, and its purge deletes all versions.
   */
  readonly backupsExpire?: string;
  /** Further facts for an auditor; only on the receipt of a move that is over. */
  readonly scope?: ReceiptScope;
  /** Place in the chain of all receipts of the realm that signed. */
  readonly link?: { readonly realm: Realm; readonly number: number; readonly previous: string };
  readonly signature?: Signature;
}

/** What a receipt is about, and who asked for the move. */
export interface ReceiptScope {
  /** The deployment that moved the tenant. */
  readonly app: string;
  readonly account: string;
  readonly stage: string;
  readonly version: string;
  /** Part → ARN of its table or bucket in the source and in the target. */
  readonly tables: Readonly<Record<string, { readonly source: string; readonly target: string }>>;
  /** Parts with policy `drop`: never copied, and deleted in the realm that the tenant left. */
  readonly dropped: readonly string[];
  /**
   * Places with the vendor's data that this move has not touched: `outOfScope` in
   * `residency.config.ts`.
   */
  readonly outOfScope: readonly string[];
  /** When it came to each status, and which hook, task or operator set it. */
  readonly history: readonly HistoryEntry[];
}

/**
 * Made with the key of the realm that issued the receipt, over the 64 hexadecimal digits of the
 * SHA-256 hash of the receipt's canonical text without this field.
 */
export interface Signature {
  /** The key's ARN. */
  readonly key: string;
  readonly algorithm: 'ECDSA_SHA_256';
  /** DER, in base64. */
  readonly value: string;
}

/**
 * One link for each signed receipt of a realm. It names the issued receipt, and by `previous` the
 * link before, so that a receipt that is changed, exchanged or removed later is noticed.
 */
export interface ReceiptLink {
  /** From 1, without gaps. */
  readonly number: number;
  /** SHA-256 of the canonical text of the link before; empty for the first. */
  readonly previous: string;
  readonly tenant: string;
  readonly id: string;
  readonly state: Receipt['state'];
  /** SHA-256 of the canonical text of the receipt without its signature. */
  readonly receipt: string;
}

/** The text that is hashed and signed: the same in every realm that keeps the receipt. */
export const signedText = ({ signature: _, ...receipt }: Receipt): string => canonicalText(receipt);

/** JSON with the names of each object in order, and without undefined fields. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, inner]) => `${JSON.stringify(name)}:${canonicalText(inner)}`);
  return `{${fields.join(',')}}`;
}

const RANK: Readonly<Record<Receipt['state'], number>> = {
  'ready-to-commit': 0,
  committed: 1,
  'rolled-back': 2,
};

/**
 * Whether the stored receipt stays, because it is of a later state, or the same realm has signed it
 * later. A delayed writer is refused by this.
 */
export function staysBefore(stored: Receipt | undefined, next: Receipt): boolean {
  if (stored === undefined) return false;
  if (stored.state !== next.state) return RANK[stored.state] > RANK[next.state];
  const [kept, offered] = [stored.link, next.link];
  return kept !== undefined && kept.realm === offered?.realm && kept.number > offered.number;
}

/** The signed record of a move: kept in both ledgers, and without any content of the customer's. */
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
   * How many items each part was found to hold before it was proven empty; expired ones that were still there count. The proof
   * of a part that held nothing says only that nothing was looked for, or that nothing was there.
   */
  readonly held?: Readonly<Record<string, number>>;
  /** What was copied before the window; of a migration that was rolled back, it was discarded with the rest. */
  readonly ahead?: Ahead;
  /** The day from which no point-in-time backup of the left realm holds the data any more (YYYY-MM-DD). */
  readonly backupsExpire?: string;
  /** Of a move that is over: what else an auditor asks for. */
  readonly scope?: ReceiptScope;
  /** Place in the chain of all receipts of the realm that signed. */
  readonly link?: { readonly realm: Realm; readonly number: number; readonly previous: string };
  readonly signature?: Signature;
}

/** What a receipt is about, and who asked for the move. */
export interface ReceiptScope {
  /** Of the deployment that moved the tenant. */
  readonly app: string;
  readonly account: string;
  readonly stage: string;
  readonly version: string;
  /** Part → ARN of its table in the source and in the target. */
  readonly tables: Readonly<Record<string, { readonly source: string; readonly target: string }>>;
  /** Parts with policy `drop`: never copied, deleted where the tenant left. */
  readonly dropped: readonly string[];
  /** What the vendor keeps elsewhere, and this move has not touched: `outOfScope` in `residency.config.ts`. */
  readonly outOfScope: readonly string[];
  /** When it came to each status, and which hook, task or operator moved it. */
  readonly history: readonly HistoryEntry[];
}

/**
 * By the key of the realm that issued the receipt. What is signed are the 64 hexadecimal digits of the SHA-256 hash of the
 * receipt's canonical text without this field.
 */
export interface Signature {
  /** The key's ARN. */
  readonly key: string;
  readonly algorithm: 'ECDSA_SHA_256';
  /** DER, in base64. */
  readonly value: string;
}

/**
 * One link for each signed receipt of a realm. It says which receipt was issued, and by `previous` which link came before:
 * a receipt that is changed, exchanged or taken away afterwards is noticed.
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

/** The text that is hashed and signed: the same receipt has the same text wherever it is kept. */
export const signedText = ({ signature: _, ...receipt }: Receipt): string => canonicalText(receipt);

/** JSON with the names of each object in their order, and without fields that are undefined. */
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

/** Whether what is stored stays: it is of a later state, or the same realm has signed it later. A delayed writer finds that it was overtaken. */
export function staysBefore(stored: Receipt | undefined, next: Receipt): boolean {
  if (stored === undefined) return false;
  if (stored.state !== next.state) return RANK[stored.state] > RANK[next.state];
  const [kept, offered] = [stored.link, next.link];
  return kept !== undefined && kept.realm === offered?.realm && kept.number > offered.number;
}

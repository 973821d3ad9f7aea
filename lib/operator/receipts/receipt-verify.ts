/**
 * `receipt --verify`: checks that a page or a JSON report is the receipt that the realm signed and
 * that the ledgers keep.
 */
import { readFile } from 'node:fs/promises';
import type { Receipt } from '../../../lambdas/domain/moving/receipt.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Operator } from '../operator.ts';
import { Failure } from '../terminal/failure.ts';
import { printable } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';
import { isSigned } from './receipt.ts';
import { recordIn } from './receipt-page.ts';
import { fingerprintOf } from './receipt-signature.ts';

export interface VerifiedReceipt {
  readonly file: string;
  readonly tenant: string;
  readonly migration: string;
  readonly fingerprint: string;
  /** True: the key of the realm that it names verifies it. */
  readonly signed: boolean;
  /** What each realm of the move keeps: the same receipt, another one, or none. */
  readonly kept: readonly { readonly realm: Realm; readonly found: 'same' | 'other' | 'none' }[];
}

/**
 * Takes only the record from the page, and compares it with key and ledgers. The page's text proves
 * nothing.
 */
export async function verifyReceipt(operator: Operator, file: string): Promise<Verdict> {
  const record = await recordOf(file);
  const realms = [...new Set([record.source, record.target])];
  for (const realm of realms)
    if (!operator.realms.includes(realm))
      throw new Failure(`${file} names the realm ${realm}, which this stage does not have`);
  const fingerprint = fingerprintOf(record);
  const kept = await Promise.all(
    realms.map(async (realm) => {
      const found = await operator.ledger.receipts.read(realm, record.tenant, record.id);
      if (found === undefined) return { realm, found: 'none' as const };
      const isSame = fingerprintOf(found) === fingerprint;
      return { realm, found: isSame ? ('same' as const) : ('other' as const) };
    }),
  );
  const signed = await isSigned(operator, record);
  const report: VerifiedReceipt = {
    file,
    tenant: record.tenant,
    migration: record.id,
    fingerprint,
    signed,
    kept,
  };
  const isFine = signed && kept.every(({ found }) => found === 'same');
  return { report, text: textOf(report, isFine), isFine };
}

const FOUND = { same: 'the same receipt', other: 'another receipt', none: 'no receipt' } as const;

function textOf(
  { tenant, migration, fingerprint, signed, kept }: VerifiedReceipt,
  isFine: boolean,
) {
  return [
    `  migration ${printable(migration)} of ${printable(tenant)}`,
    `  fingerprint ${fingerprint}`,
    signed
      ? '  signed by the key of the realm that it names'
      : '  its signature is not by the key of the realm that it names',
    ...kept.map(({ realm, found }) => `  ${realm} keeps ${FOUND[found]}`),
    '',
    isFine ? '✓ this is the receipt that was issued' : '✗ this is not the receipt that was issued',
  ].join('\n');
}

async function recordOf(file: string): Promise<Receipt> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error';
    throw new Failure(`${file} cannot be read: ${code}`);
  });
  const record = parsed(text);
  if (!isReceipt(record)) throw new Failure(`there is no record of a receipt in ${file}`);
  return record;
}

/** Parses a page, a report by `--json`, or a bare record. */
function parsed(text: string): unknown {
  try {
    if (text.includes('id="record"')) return recordIn(text);
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'record' in value ? value.record : value;
  } catch {
    return undefined;
  }
}

function isReceipt(value: unknown): value is Receipt {
  if (typeof value !== 'object' || value === null) return false;
  const fields = ['tenant', 'id', 'source', 'target', 'state', 'at'] as const;
  return fields.every((field) => typeof Reflect.get(value, field) === 'string');
}

/**
 * Issues receipts: a place in the chain of the realm's receipts, and a signature by the realm's
 * key.
 */
import {
  canonicalText,
  type Receipt,
  type ReceiptLink,
  type ReceiptScope,
  signedText,
} from '../../domain/moving/receipt.ts';
import type { Realm } from '../../domain/realm.ts';
import { Fault } from '../../domain/refusal.ts';
import type { Ports } from '../../ports.ts';
import type { AppContext } from '../app-context.ts';

/**
 * Where several moves end at once, one takes the next number. The ledger lets the others wait a
 * little.
 */
const MOST_TRIES = 20;

/**
 * The receipt as it will be kept, signed by `realm`. A second call for the same move makes another
 * receipt with a place of its own; `writeReceipt` then keeps the later one in both realms. Writes
 * only a link; throws a `Fault` where it cannot.
 */
export async function issued(
  { receipts, signer }: Pick<Ports, 'receipts' | 'signer'>,
  realm: Realm,
  receipt: Receipt,
): Promise<Receipt> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const last = await receipts.lastLink(realm);
    const number = (last?.number ?? 0) + 1;
    const previous = last === undefined ? '' : signer.hash(canonicalText(last));
    const linked: Receipt = { ...receipt, link: { realm, number, previous } };
    const receiptHash = signer.hash(signedText(linked));
    // Signs first: a link whose receipt could not be signed would look like a receipt that was
    // removed.
    const signature = await signer.sign(realm, receiptHash);
    const { tenant, id, state } = receipt;
    const link: ReceiptLink = { number, previous, tenant, id, state, receipt: receiptHash };
    if (await receipts.addLink(realm, link)) return { ...linked, signature };
  }
  throw new Fault(`realm ${realm} issues many receipts at this moment`);
}

/** The facts on a receipt beside the result of the move. */
export async function scopeOf(
  { ports, settings }: AppContext,
  { tenant, id, source, target }: Pick<Receipt, 'tenant' | 'id' | 'source' | 'target'>,
): Promise<ReceiptScope> {
  const { issuer, parts } = settings;
  const tables = parts.map((part) => [
    part.name,
    { source: issuer.placeArn(part, source), target: issuer.placeArn(part, target) },
  ]);
  const { app, account, stage, version, outOfScope } = issuer;
  return {
    app,
    account,
    stage,
    version,
    tables: Object.fromEntries(tables),
    dropped: parts.filter(({ policy }) => policy === 'drop').map(({ name }) => name),
    outOfScope,
    history: await ports.migrations.history({ ledger: source, tenant, id }),
  };
}

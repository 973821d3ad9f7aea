/**
 * Pure: checks that a receipt is the one that its realm signed, and that the chain of a realm's
 * receipts is whole.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import {
  canonicalText,
  type Receipt,
  type ReceiptLink,
  signedText,
} from '../../../lambdas/domain/moving/receipt.ts';

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * SHA-256 of the receipt's canonical text without its signature. It is the same in every realm that
 * keeps the receipt.
 */
export const fingerprintOf = (receipt: Receipt): string => hashOf(signedText(receipt));

/** True where this public key (PEM) verifies the receipt's signature. */
export function isSignedBy(receipt: Receipt, publicKey: string): boolean {
  const { signature } = receipt;
  if (signature === undefined) return false;
  return verify(
    'sha256',
    Buffer.from(fingerprintOf(receipt)),
    createPublicKey(publicKey),
    Buffer.from(signature.value, 'base64'),
  );
}

/** The breaks of a chain as sentences; empty where it is whole. */
export function breaksIn(links: readonly ReceiptLink[]): readonly string[] {
  const says: string[] = [];
  let before: ReceiptLink | undefined;
  for (const link of links) {
    const wanted = (before?.number ?? 0) + 1;
    if (link.number !== wanted) says.push(`link ${wanted} of the chain of receipts is missing`);
    else if (link.previous !== (before === undefined ? '' : hashOf(canonicalText(before))))
      says.push(`link ${link.number} of the chain of receipts does not follow from the one before`);
    before = link;
  }
  return says;
}

/** Why a receipt is not the one that this realm signed; `undefined` where it is. */
export function forgeryIn(
  receipt: Receipt,
  links: readonly ReceiptLink[],
  publicKey: string,
): string | undefined {
  if (!isSignedBy(receipt, publicKey)) return 'its signature is not by the key of the realm';
  const link = links.find(({ number }) => number === receipt.link?.number);
  if (link?.receipt !== fingerprintOf(receipt)) return 'the chain of receipts does not name it';
  return undefined;
}

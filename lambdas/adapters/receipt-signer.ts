/** Signs receipts with an asymmetric key in KMS: one per realm, found by its alias. */
import { hash } from 'node:crypto';
import { type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { Realm } from '../domain/realm.ts';
import { Fault } from '../domain/refusal.ts';
import type { Signer } from '../ports.ts';

export interface ReceiptKeys {
  readonly clientFor: (realm: Realm) => KMSClient;
  /** `alias/…` */
  readonly aliasOf: (realm: Realm) => string;
}

const ALGORITHM = 'ECDSA_SHA_256';

export function receiptSigner({ clientFor, aliasOf }: ReceiptKeys): Signer {
  return {
    hash: (text) => hash('sha256', text),

    async sign(realm, hashed) {
      try {
        const { KeyId: key = '', Signature: signature } = await clientFor(realm).send(
          new SignCommand({
            KeyId: aliasOf(realm),
            // Signs the hexadecimal hash, because a receipt may be longer than the 4,096 bytes that
            // KMS signs.
            Message: Buffer.from(hashed),
            MessageType: 'RAW',
            SigningAlgorithm: ALGORITHM,
          }),
        );
        if (signature === undefined) throw new Error('KMS answered without a signature');
        return { key, algorithm: ALGORITHM, value: Buffer.from(signature).toString('base64') };
      } catch (error) {
        throw new Fault(
          `the key that signs receipts of realm ${realm} cannot be used: ${error instanceof Error ? error.name : 'unknown error'}`,
          { cause: error },
        );
      }
    },
  };
}

/**
 * Adds a key to Atlassian's, by which a stage other than production accepts synthetic tenants, and
 * no others.
 */
import { createHash, createPublicKey } from 'node:crypto';
import { isSmokeTenant } from '../../domain/operating/smoke.ts';
import { Unauthenticated } from '../../domain/refusal.ts';
import type { InstallKeys } from './install-keys.ts';

/**
 * `publicKey` is the base64 of its SPKI DER, as `residency smoke-key` prints it. Throws for
 * anything else.
 */
export function withSmokeKey(keys: InstallKeys, publicKey: string): InstallKeys {
  const der = Buffer.from(publicKey, 'base64');
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  if (key.asymmetricKeyType !== 'rsa') throw new Error('the smoke key is not an RSA key');
  const pem = key.export({ type: 'spki', format: 'pem' }).toString();
  const smokeKid = smokeKidOf(der);
  return {
    async find(kid, issuer) {
      if (kid !== smokeKid) return keys.find(kid, issuer);
      if (!isSmokeTenant(issuer))
        throw new Unauthenticated('the smoke key is good for synthetic tenants alone');
      return pem;
    },
  };
}

/** The key's id follows from the key, so that it need not be agreed on. */
export const smokeKidOf = (der: Uint8Array): string =>
  `smoke-${createHash('sha256').update(der).digest('hex').slice(0, 32)}`;

/** Tokens as Atlassian makes them, and others that it never would. */
import { createHmac, createPublicKey, createSign, generateKeyPairSync } from 'node:crypto';

export const installKeyPair = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });

/** A JWKS of one key. */
export const keySet = (publicKey: string, kid: string): string =>
  JSON.stringify({
    keys: [
      { ...createPublicKey(publicKey).export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' },
    ],
  });

type Claims = Readonly<Record<string, unknown>>;

const encoded = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signed with a shared secret; the header may claim anything. */
export function hs256(
  claims: Claims,
  secret: string,
  header: unknown = { alg: 'HS256', typ: 'JWT' },
): string {
  const content = `${encoded(header)}.${encoded(claims)}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

/**
 * Signatures by private key and content. RS256 gives the same signature for the same content, and
 * takes almost a millisecond.
 */
const signatures = new Map<string, string>();

/** Signed with a private key; the header may claim anything. */
export function rs256(claims: Claims, privateKey: string, header: Claims): string {
  const content = `${encoded(header)}.${encoded(claims)}`;
  const known = `${privateKey}${content}`;
  const signature =
    signatures.get(known) ??
    createSign('RSA-SHA256').update(content).sign(privateKey).toString('base64url');
  signatures.set(known, signature);
  return `${content}.${signature}`;
}

export const unsigned = (claims: Claims, header: Claims = { alg: 'none', typ: 'JWT' }): string =>
  `${encoded(header)}.${encoded(claims)}.`;

/** Other spellings of the same token, which decoders of base64url take for the same bytes. */
export function respellings(token: string): Readonly<Record<string, string>> {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return {
    'unused bits of its signature set': `${header}.${payload}.${withUnusedBits(signature)}`,
    'a padded signature': `${token}==`,
    'the other alphabet in its signature': `${header}.${payload}.${signature.replaceAll('-', '+').replaceAll('_', '/')}+`,
    'a character of no alphabet in its signature': `${header}.${payload}.${signature}!`,
    'a padded header': `${header}=.${payload}.${signature}`,
    'padded claims': `${header}.${payload}=.${signature}`,
  };
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * Another spelling of a text whose last character has unused bits, as a signature by RSA-2048 or
 * HMAC-SHA-256 has.
 */
function withUnusedBits(encodedBytes: string): string {
  if (encodedBytes.length % 4 === 0) throw new Error('there are no unused bits');
  const last = ALPHABET.indexOf(encodedBytes.at(-1) ?? '');
  return `${encodedBytes.slice(0, -1)}${ALPHABET[last + 1]}`;
}

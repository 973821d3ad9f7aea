/**
 * Parses the compact form of a token, and refuses every spelling but the canonical one, so that two
 * spellings never say the same.
 */
import { Unauthenticated } from '../../domain/refusal.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface CompactToken {
  readonly header: Json;
  /** Not verified yet. */
  readonly payload: Json;
  /** Header and claims as they are signed; the same for two tokens that say the same. */
  readonly signed: string;
}

/**
 * A token has a few hundred bytes, with the context of a module some kilobytes. A longer one is
 * refused.
 */
const LONGEST_TOKEN = 8_192;

/** Throws `Unauthenticated`; the error never quotes the token. */
export function compactToken(token: string | undefined): CompactToken {
  if (token === undefined) throw new Unauthenticated('there is no token');
  if (token.length > LONGEST_TOKEN) throw new Unauthenticated('the token is too long');
  const segments = token.split('.');
  const [header = '', payload = '', signature = ''] = segments;
  if (segments.length !== 3) throw new Unauthenticated('the token has not three segments');
  if (!isCanonical(signature)) throw new Unauthenticated('the signature is not in canonical form');
  return { header: objectIn(header), payload: objectIn(payload), signed: `${header}.${payload}` };
}

function objectIn(segment: string): Json {
  if (isCanonical(segment)) {
    try {
      const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
    } catch {
      // Falls through to the answer for every malformed token.
    }
  }
  throw new Unauthenticated('the token is malformed');
}

/**
 * True for base64url as RFC 4648 writes it (3.5 and 5): no padding, no other characters, and zero
 * in the unused bits of the last one. Decoders do not check any of these.
 */
const isCanonical = (segment: string): boolean =>
  Buffer.from(segment, 'base64url').toString('base64url') === segment;

/** The compact form of a token, taken apart in one way alone: a token that says the same in another spelling is none. */
import { Unauthenticated } from '../../domain/refusal.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface CompactToken {
  readonly header: Json;
  /** Not verified yet. */
  readonly payload: Json;
  /** Header and claims as they are signed: two tokens that say the same have the same. */
  readonly signed: string;
}

/** A token is a few hundred bytes, with the context of a module some kilobytes; more is not read. */
const LONGEST_TOKEN = 8_192;

/** Throws `Unauthenticated`, without the token or a part of it. */
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
      // Falls through: the same answer as for any other malformed token.
    }
  }
  throw new Unauthenticated('the token is malformed');
}

/**
 * Base64url as it is written (RFC 4648, 3.5 and 5): no padding, no other characters, and the unused bits of the last one
 * are zero. Decoders overlook all of these.
 */
const isCanonical = (segment: string): boolean =>
  Buffer.from(segment, 'base64url').toString('base64url') === segment;

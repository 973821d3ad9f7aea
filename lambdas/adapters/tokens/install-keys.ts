/** Public keys of signed installs, by `kid`. A rotation brings a new `kid`, so that a key may be kept for good. */
import { createPublicKey } from 'node:crypto';
import { Fault, Unauthenticated } from '../../domain/refusal.ts';
import type { Clock } from '../../ports.ts';

export interface InstallKeys {
  /**
   * PEM. Throws `Unauthenticated` where there is no such key, or not for this issuer; `Fault` where the server cannot say.
   */
  find(kid: unknown, issuer: string): Promise<string>;
}

const TIMEOUT_MS = 3_000;
/** An unknown `kid` is not asked for again for this long: a flood of them must not reach the key server. */
const UNKNOWN_FOR_MS = 5_000;
const MOST_REMEMBERED = 1_000;
const LARGEST_KEY = 16_384;

/** `url` is the server's, without a trailing slash; it never comes from the request. */
export function installKeys(url: string, clock: Clock) {
  const known = new Map<string, string>();
  const unknown = new Map<string, number>();

  return {
    async find(kid: unknown): Promise<string> {
      // It becomes part of a URL: a plain identifier, or nothing is fetched.
      if (typeof kid !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(kid)) {
        throw new Unauthenticated('the key id is not a plain identifier');
      }
      const key = known.get(kid);
      if (key !== undefined) return key;
      if ((unknown.get(kid) ?? 0) > clock.now()) throw new Unauthenticated('the key id is unknown');
      const fetched = await fetchKey(`${url}/${kid}`);
      if (fetched === undefined) {
        if (unknown.size >= MOST_REMEMBERED) unknown.clear();
        unknown.set(kid, clock.now() + UNKNOWN_FOR_MS);
        throw new Unauthenticated('the key id is unknown');
      }
      if (known.size >= MOST_REMEMBERED) known.clear();
      known.set(kid, fetched);
      return fetched;
    },
  };
}

async function fetchKey(url: string): Promise<string | undefined> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    redirect: 'error',
  }).catch(() => undefined);
  if (response === undefined) throw new Fault('the key server cannot be reached');
  if (response.status === 404 || response.status === 403) return undefined;
  if (!response.ok) throw new Fault(`the key server answers ${response.status}`);
  const text = await response.text();
  if (text.length > LARGEST_KEY || !isRsaKey(text))
    throw new Fault('the key server answers something that is not a key');
  return text;
}

function isRsaKey(pem: string): boolean {
  try {
    return createPublicKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

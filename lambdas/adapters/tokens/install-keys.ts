/**
 * Public keys of signed installs, by `kid`. A rotation brings a new `kid`, so that a key may be
 * kept for ever.
 */
import { createPublicKey } from 'node:crypto';
import { Fault, Unauthenticated } from '../../domain/refusal.ts';
import type { Clock } from '../../ports.ts';
import { timeoutFor } from '../timeouts.ts';

export interface InstallKeys {
  /**
   * PEM. Throws `Unauthenticated` where there is no such key, or none for this issuer; `Fault`
   * where no server knows.
   */
  find(kid: unknown, issuer: string): Promise<string>;
}

/**
 * For one server. Two servers, one after the other, stay below the five seconds that Atlassian
 * waits.
 */
const TIMEOUT_MS = 2_000;
/**
 * An unknown `kid` is not asked for again within this time, so that a flood of them does not reach
 * the key servers.
 */
const UNKNOWN_FOR_MS = 5_000;
const MOST_REMEMBERED = 1_000;
const LARGEST_KEY = 16_384;
const LONGEST_KEY_ID = 128;
/**
 * `issuer/key`, as Atlassian's key ids are: no segment is empty, `.` or `..`, and none has a
 * character with a meaning in a URL.
 */
const KEY_ID = /^[A-Za-z0-9][\w.+-]*(?:\/[A-Za-z0-9][\w.+-]*)*$/;

/** A server that refuses the form of a key id has no such key either. */
const NO_SUCH_KEY = [400, 403, 404, 410];

/**
 * `urls` are the servers, without a trailing slash, in the order in which they are asked: a later
 * one where an earlier one has no such key, or does not answer. They never come from the request.
 */
export function installKeys(urls: readonly string[], clock: Clock) {
  const known = new Map<string, string>();
  /** When the servers were last asked for an unknown key. */
  const unknown = new Map<string, number>();

  return {
    async find(kid: unknown): Promise<string> {
      // The key id becomes part of a URL, so that nothing is fetched for another form.
      if (typeof kid !== 'string' || kid.length > LONGEST_KEY_ID || !KEY_ID.test(kid)) {
        throw new Unauthenticated('the key id has not the form issuer/key');
      }
      const key = known.get(kid);
      if (key !== undefined) return key;
      const askedBefore = clock.now() - (unknown.get(kid) ?? Number.NEGATIVE_INFINITY);
      // Negative where the clock was set back since.
      if (askedBefore >= 0 && askedBefore < UNKNOWN_FOR_MS)
        throw new Unauthenticated('the key id is unknown');
      const fetched = await fetchFirst(urls, kid);
      if (fetched === undefined) {
        if (unknown.size >= MOST_REMEMBERED) unknown.clear();
        unknown.set(kid, clock.now());
        throw new Unauthenticated('the key id is unknown');
      }
      if (known.size >= MOST_REMEMBERED) known.clear();
      known.set(kid, fetched);
      return fetched;
    },
  };
}

/**
 * `undefined` where every server says that there is no such key; throws a fault where none has it
 * and one did not answer.
 */
async function fetchFirst(urls: readonly string[], kid: string): Promise<string | undefined> {
  let fault: Fault | undefined;
  for (const url of urls) {
    const fetched = await fetchKey(`${url}/${kid}`).catch((error: unknown) => {
      if (!(error instanceof Fault)) throw error;
      fault ??= error;
    });
    if (fetched !== undefined) return fetched;
  }
  if (fault !== undefined) throw fault;
  return undefined;
}

async function fetchKey(url: string): Promise<string | undefined> {
  const { host } = new URL(url);
  const response = await fetch(url, {
    signal: AbortSignal.timeout(timeoutFor(url, TIMEOUT_MS)),
    redirect: 'error',
  }).catch(() => undefined);
  if (response === undefined) throw new Fault(`the key server ${host} cannot be reached`);
  if (NO_SUCH_KEY.includes(response.status)) return undefined;
  if (!response.ok) throw new Fault(`the key server ${host} answers ${response.status}`);
  const text = await response.text().catch(() => '');
  if (text.length > LARGEST_KEY || !isRsaKey(text))
    throw new Fault(`the key server ${host} answers something that is not a key`);
  return text;
}

function isRsaKey(pem: string): boolean {
  try {
    return createPublicKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

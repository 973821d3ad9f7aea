/** Public keys of Forge invocation tokens: one pinned set, fetched at most once per interval. */

import { createLocalJWKSet, errors, type FlattenedJWSInput, type JWTHeaderParameters } from 'jose';
import { Fault, Unauthenticated } from '../../domain/refusal.ts';
import { DAY_MS } from '../../domain/time.ts';
import type { Clock } from '../../ports.ts';
import { timeoutFor } from '../timeouts.ts';

export type ForgeKeys = (
  header: JWTHeaderParameters,
  token: FlattenedJWSInput,
) => ReturnType<ReturnType<typeof createLocalJWKSet>>;

const TIMEOUT_MS = 3_000;
/**
 * Pause after a fetch, whether it went well or not. Atlassian's three tries take longer, so that a
 * new key gets through.
 */
const INTERVAL_MS = 5_000;
/**
 * After ten minutes keys are fetched again. Where the server cannot be reached, old ones are good
 * for a day.
 */
const FRESH_MS = 10 * 60 * 1000;
const LASTING_MS = DAY_MS;
const LARGEST_SET = 256 * 1024;

interface Known {
  readonly find: ReturnType<typeof createLocalJWKSet>;
  readonly at: number;
}

/**
 * `createRemoteJWKSet` of jose counts its pause only from fetches that went well, so that a flood
 * of requests would reach a server that is down. `url` comes from the configuration, never from a
 * claim. Throws `Unauthenticated` where there is no such key, `Fault` where that is unknown.
 */
export function forgeKeys(url: string, clock: Clock): ForgeKeys {
  let known: Known | undefined;
  let lastTry = Number.NEGATIVE_INFINITY;
  let hasFailed = false;
  let pending: Promise<void> | undefined;

  async function reload(): Promise<void> {
    try {
      known = { find: createLocalJWKSet(await fetchSet(url)), at: clock.now() };
      hasFailed = false;
    } catch {
      hasFailed = true;
    }
  }

  /** One fetch for all requests at the same time, and none within the interval. */
  async function refresh(): Promise<void> {
    if (pending === undefined) {
      const passed = clock.now() - lastTry;
      // Negative where the clock was set back since.
      if (passed >= 0 && passed < INTERVAL_MS) return;
      lastTry = clock.now();
      pending = reload().finally(() => {
        pending = undefined;
      });
    }
    await pending;
  }

  const age = () => (known === undefined ? Number.POSITIVE_INFINITY : clock.now() - known.at);

  return async (header, token) => {
    if (age() > FRESH_MS) await refresh();
    const found = await among(known, header, token);
    if (found !== undefined && age() <= LASTING_MS) return found;
    await refresh();
    const again = await among(known, header, token);
    if (again !== undefined && age() <= LASTING_MS) return again;
    if (hasFailed || known === undefined) throw new Fault('the keys of Forge cannot be fetched');
    throw new Unauthenticated('the key id is unknown');
  };
}

async function among(
  known: Known | undefined,
  header: JWTHeaderParameters,
  token: FlattenedJWSInput,
) {
  try {
    return await known?.find(header, token);
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return undefined;
    throw error;
  }
}

async function fetchSet(url: string) {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(timeoutFor(url, TIMEOUT_MS)),
    redirect: 'error',
    headers: { accept: 'application/json' },
  });
  const text = await response.text();
  if (!response.ok || text.length > LARGEST_SET) throw new Error('no key set');
  return JSON.parse(text);
}

/**
 * One tenant as an operator brings it, parsed where it enters: by the command line from a file, by
 * the function from its input.
 */

import { defined } from '../defined.ts';
import { invalid } from '../refusal.ts';
import { identityIn, installRequest } from '../requests.ts';
import { bytesOf, storableText } from '../storable.ts';
import { WRONG_CLOCK_MS } from '../time.ts';
import { isInstallationId } from './identity.ts';
import { importedCredentials, isTenantKey } from './importing.ts';
import type { Arrival } from './takeover.ts';
import type { Identity, Installation } from './tenant.ts';

export interface ImportRow {
  /**
   * What `installed` delivered, as far as the app has kept it; with `clientKey`, or else with
   * `installationId`.
   */
  readonly installation: Installation;
  /** With a client key alone: an app that was never in Connect has none. */
  readonly sharedSecret?: string;
  /** When the app stored the secret, in epoch seconds; 0 where the file does not say. */
  readonly storedAt: number;
  readonly tenantKey?: string;
}

/** An arrival whose tenant is not known yet: by one of these it is looked for. */
export interface ImportedArrival extends Omit<Arrival, 'tenant'> {
  readonly identity: Identity;
  readonly clientKey?: string;
}

/** `now` in epoch milliseconds. Throws a refusal that names the field, and never its value. */
export function importRow(input: unknown, now: number): ImportRow {
  const fields: Readonly<Record<string, unknown>> = Object(input);
  const { installation: told, sharedSecret, storedAt, tenantKey } = fields;
  if (typeof told !== 'object' || told === null || Array.isArray(told))
    throw invalid('installation is no object');
  if (typeof storedAt !== 'number' || !Number.isInteger(storedAt) || storedAt < 0)
    throw invalid('storedAt is no time');
  // A time of the future would make every later secret an old one.
  if (storedAt * 1000 > now + WRONG_CLOCK_MS) throw invalid('the row was stored in the future');
  if (tenantKey !== undefined && !isTenantKey(tenantKey))
    throw invalid('tenantKey is 1 to 255 characters, without spaces at its ends');
  const { sharedSecret: _, ...installation } = Object.fromEntries(Object.entries(told));
  const own = { storedAt, ...defined({ tenantKey }) };
  if (installation['clientKey'] === undefined) {
    if (!isInstallationId(installation['installationId']))
      throw invalid('neither a client key nor an installation id is given');
    if (sharedSecret !== undefined) throw invalid('a shared secret is given without a client key');
    if (bytesOf(storableText(installation)) > MOST_FACTS) throw invalid('the row is too long');
    return { ...own, installation };
  }
  const request = installRequest({ ...installation, sharedSecret });
  return { ...own, installation: request.installation, sharedSecret: request.sharedSecret };
}

/** Bytes. Some twenty short fields. */
const MOST_FACTS = 16 * 1024;

export function importedArrival(row: ImportRow): ImportedArrival {
  const { installation, sharedSecret, storedAt, tenantKey } = row;
  const { clientKey } = installation;
  return {
    credentials: importedCredentials(sharedSecret, storedAt),
    installation,
    identity: {
      ...identityIn(installation, storedAt),
      ...defined({ tenantKey }),
    },
    ...(typeof clientKey === 'string' && { clientKey }),
  };
}

/** What is known of a tenant's size: from a count, or from the move by which it came. */

import { type KnownSize, sizeOfMeasurement } from '../domain/datasets/size.ts';
import type { Realm } from '../domain/realm.ts';
import type { Ports } from '../ports.ts';

const DAY = 86_400_000;
/** Nobody is refused for what was true longer ago than this. */
const KNOWN_DAYS = 30;

export const isYoungerThan = (days: number, { at }: KnownSize, now: number): boolean =>
  now - Date.parse(at) < days * DAY;

/** The newer of both; `undefined` where nothing is known, or only what was long ago. */
export async function knownSize(
  { tenants, ledger, clock }: Pick<Ports, 'tenants' | 'ledger' | 'clock'>,
  here: Realm,
  tenant: string,
): Promise<KnownSize | undefined> {
  const [measurement, record] = await Promise.all([
    ledger.readMeasurement(here, tenant),
    tenants.read(here, tenant),
  ]);
  const { arrivedBy } = record ?? {};
  const receipt = arrivedBy && (await ledger.readReceipt(here, tenant, arrivedBy));
  const known = [
    measurement && sizeOfMeasurement(measurement),
    receipt ? { at: receipt.at, parts: receipt.seals } : undefined,
  ];
  return known
    .filter((size) => size !== undefined)
    .filter((size) => isYoungerThan(KNOWN_DAYS, size, clock.now()))
    .sort((one, other) => (one.at < other.at ? 1 : -1))[0];
}

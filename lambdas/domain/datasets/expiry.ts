/**
 * Decides which items DynamoDB's time to live would remove. Only these count as absent. Any other
 * value of the expiry attribute (a text, zero, a number of milliseconds, a time of long ago)
 * belongs to an item that DynamoDB keeps for ever.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
 */
import { DAY_SECONDS } from '../time.ts';

/**
 * DynamoDB removes nothing that expired more than five years ago. It does not say how many days
 * five years are; this is the shortest count.
 */
export const FIVE_SHORT_YEARS = 5 * 365 * DAY_SECONDS;
const FIVE_LONG_YEARS = 5 * 366 * DAY_SECONDS;

/**
 * Whether an item with this expiry (the text of a Number, in epoch seconds) counts as absent at
 * `now` (epoch seconds).
 */
export function isExpired(text: string | undefined, now: number): boolean {
  const expiry = text === undefined ? Number.NaN : Number(text);
  // DynamoDB does not say what happens to a fraction. Such an item is kept, because that loses
  // nothing.
  return Number.isInteger(expiry) && expiry <= now && expiry > now - FIVE_SHORT_YEARS;
}

/**
 * Whether an item must still be there, unchanged, after `lastingUntil`, because DynamoDB does not
 * remove it by then. Items that may or may not be removed are not demanded: those between the
 * shortest and the longest five years, and those with a fraction.
 */
export function isLasting(
  text: string | undefined,
  { asOf, lastingUntil }: { readonly asOf: number; readonly lastingUntil: number },
): boolean {
  if (text === undefined) return true;
  const expiry = Number(text);
  return expiry > lastingUntil || expiry < asOf - FIVE_LONG_YEARS;
}

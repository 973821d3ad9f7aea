/**
 * Decides which credentials win. The newer token wins; but `iat` has whole seconds, and two tokens
 * of one second differ only in their order of arrival. So the record keeps the tokens of its
 * second: one that arrives again changes nothing.
 */
import type { Credentials } from './tenant.ts';

/** More tokens than any site sends within a second. */
const REMEMBERED = 20;

/**
 * The stored credentials after an installation has arrived here; `undefined` when it is older, or
 * has arrived before.
 */
export function afterArrival(stored: Credentials, arrived: Credentials): Credentials | undefined {
  if (arrived.iat !== stored.iat) return arrived.iat > stored.iat ? arrived : undefined;
  return isKnown(arrived, stored) ? undefined : above(stored, arrived);
}

/**
 * The stored credentials after a look at another realm's; `undefined` when they stay as they are.
 * The side that knows the other's token is the later one. Where neither knows, or both do, the
 * comparison gives the same winner in both realms.
 */
export function afterMeeting(stored: Credentials, other: Credentials): Credentials | undefined {
  if (other.iat !== stored.iat) return other.iat > stored.iat ? other : undefined;
  const hasSeen = isKnown(other, stored);
  const isSeen = isKnown(stored, other);
  const isOtherLater = hasSeen === isSeen ? latest(other) > latest(stored) : isSeen;
  if (isOtherLater) return above(stored, other);
  const isNothingNew = other.tokens?.every((token) => stored.tokens?.includes(token)) ?? true;
  return isNothingNew ? undefined : above(other, stored);
}

/** True where the token that brought `credentials` is among the tokens that `by` keeps. */
export const isKnown = (credentials: Credentials, by: Credentials): boolean =>
  by.tokens?.includes(latest(credentials)) ?? false;

const latest = ({ tokens }: Credentials): string => tokens?.at(-1) ?? '';

/** `upper` wins. The tokens of both are kept, and the last one of `upper` is last. */
function above(lower: Credentials, upper: Credentials): Credentials {
  const last = upper.tokens?.at(-1);
  if (last === undefined) return upper;
  const earlier = [...(lower.tokens ?? []), ...(upper.tokens ?? [])].filter(
    (token) => token !== last,
  );
  return { ...upper, tokens: [...new Set(earlier), last].slice(-REMEMBERED) };
}

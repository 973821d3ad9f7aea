/**
 * Which credentials stand. The newer token wins; but `iat` is in whole seconds, and two tokens of one second are told apart
 * only by who came first. So the tokens of that second are remembered: one that comes again changes nothing.
 */
import type { Credentials } from './tenant.ts';

/** More tokens of one second than anybody sends. */
const REMEMBERED = 20;

/** What an installation that arrives here makes of the stored credentials; `undefined` when it is older, or has been here before. */
export function afterArrival(stored: Credentials, arrived: Credentials): Credentials | undefined {
  if (arrived.iat !== stored.iat) return arrived.iat > stored.iat ? arrived : undefined;
  return isKnown(arrived, stored) ? undefined : above(stored, arrived);
}

/**
 * What another realm's credentials make of the stored ones; `undefined` when they change nothing. Whoever has seen the other
 * is the later one. Of two that cannot tell either may win, but in both realms the same.
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

/** The token by which these were brought is among those that the others have seen. */
export const isKnown = (credentials: Credentials, by: Credentials): boolean =>
  by.tokens?.includes(latest(credentials)) ?? false;

const latest = ({ tokens }: Credentials): string => tokens?.at(-1) ?? '';

/** The upper ones stand; the tokens of both are remembered, that of the upper ones last. */
function above(lower: Credentials, upper: Credentials): Credentials {
  const last = upper.tokens?.at(-1);
  if (last === undefined) return upper;
  const earlier = [...(lower.tokens ?? []), ...(upper.tokens ?? [])].filter(
    (token) => token !== last,
  );
  return { ...upper, tokens: [...new Set(earlier), last].slice(-REMEMBERED) };
}

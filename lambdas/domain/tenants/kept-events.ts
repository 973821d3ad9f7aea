/**
 * Lifecycle events that came while the tenant was in a move, kept for the app beside us: which are
 * kept, and which something newer supersedes. Pure.
 */
import { DAY_SECONDS } from '../time.ts';
import type { ForwardedPath, LifecycleEvent } from './forwarding.ts';

/** The request as Atlassian sent it. Holds a secret: it is never logged. */
export interface KeptEvent {
  readonly event: LifecycleEvent;
  readonly path: ForwardedPath;
  /** Atlassian's name of the tenant: a client key, or an installation of Forge. */
  readonly named: string;
  /** When its token was issued. Epoch seconds. */
  readonly iat: number;
  readonly query: string;
  readonly contentType: string;
  readonly authorization?: string;
  readonly body: string;
  /** The secret that an installation by Connect brought. */
  readonly sharedSecret?: string;
}

/** Of one tenant in one realm. */
export interface KeptEvents {
  readonly tenant: string;
  /** The oldest first. */
  readonly events: readonly KeptEvent[];
  /** Who delivers one, until when (epoch milliseconds): nothing newer is forwarded meanwhile. */
  readonly delivery?: { readonly owner: string; readonly until: number };
  /** Epoch seconds: a move has ended long before. */
  readonly expiresAt: number;
}

/** A move has a day's window, and its end may come 12 hours after that. */
const KEPT_DAYS = 7;
/** In bytes. Atlassian's events have about 2 KB; an item of DynamoDB has 400 KB. */
export const LARGEST_KEPT = 32 * 1024;
/** Kinds of events, over all installations of a tenant. */
const MOST_KEPT = 8;

const isOfKind = (one: KeptEvent, { path, named }: KeptEvent): boolean =>
  one.path === path && one.named === named;

/**
 * Of each kind only the newest is kept, and of two in one second the one that arrives later; the
 * same one again changes nothing. `undefined` where nothing changes. `now` in epoch milliseconds.
 */
export function withEvent(
  kept: KeptEvents | undefined,
  tenant: string,
  event: KeptEvent,
  now: number,
): KeptEvents | undefined {
  const events = kept?.events ?? [];
  const isStale = (one: KeptEvent) =>
    one.iat > event.iat || (one.iat === event.iat && one.body === event.body);
  if (events.some((one) => isOfKind(one, event) && isStale(one))) return undefined;
  const all = [...events.filter((one) => !isOfKind(one, event)), event];
  const newest = all.toSorted((one, other) => one.iat - other.iat).slice(-MOST_KEPT);
  const expiresAt = Math.floor(now / 1000) + KEPT_DAYS * DAY_SECONDS;
  return { ...kept, tenant, events: newest, expiresAt };
}

export const isSameEvent = (one: KeptEvent, other: KeptEvent): boolean =>
  isOfKind(one, other) && one.iat === other.iat && one.body === other.body;

/** Something newer is forwarded directly: what came of the same name before it is dropped. */
export const superseded = (
  kept: KeptEvents | undefined,
  { named, iat }: Pick<KeptEvent, 'named' | 'iat'>,
): KeptEvents | undefined => without(kept, (one) => one.named === named && one.iat <= iat);

/** Without this event, whether it was delivered or superseded. */
export const withoutEvent = (
  kept: KeptEvents | undefined,
  event: KeptEvent,
): KeptEvents | undefined => without(kept, (one) => isSameEvent(one, event));

function without(
  kept: KeptEvents | undefined,
  isOver: (one: KeptEvent) => boolean,
): KeptEvents | undefined {
  const events = kept?.events.filter((one) => !isOver(one));
  if (kept === undefined || events === undefined || events.length === kept.events.length)
    return undefined;
  return { ...kept, events };
}

/** Somebody delivers an event at this moment, or has died of it a while ago. */
export const isBeingDelivered = (kept: KeptEvents | undefined, now: number): boolean =>
  kept?.delivery !== undefined && kept.delivery.until > now;

/** Takes the delivery; `undefined` where another has it, or nothing is kept any more. */
export const deliveryBy = (
  kept: KeptEvents | undefined,
  owner: string,
  until: number,
  now: number,
): KeptEvents | undefined =>
  kept === undefined || kept.events.length === 0 || isBeingDelivered(kept, now)
    ? undefined
    : { ...kept, delivery: { owner, until } };

/** Gives the delivery back. */
export function deliveryGivenBack(
  kept: KeptEvents | undefined,
  owner: string,
): KeptEvents | undefined {
  if (kept?.delivery?.owner !== owner) return undefined;
  const { delivery: _, ...rest } = kept;
  return rest;
}

/**
 * The windows in which this realm is, or will be, a source, and the cap on them: at no instant do
 * more than `cap` overlap, with any number of schedules at once. Numbered lanes, 0 to `cap` − 1,
 * keep the cap: each takes windows that do not overlap. So a lane changes by one write on one item,
 * and no two lanes have to agree. A window that fewer than `cap` windows of other tenants overlap
 * always has room: each of those is in one lane, so that another lane is free.
 */
import { DAY_MS } from '../time.ts';
export interface Slot {
  readonly tenant: string;
  readonly id: string;
  readonly takenAt: string;
  /** ISO 8601, UTC. */
  readonly start: string;
  readonly end: string;
}

/** A numbered lane, and its windows. A lane that is not stored has none. */
export interface Lane {
  readonly number: number;
  readonly windows: readonly Slot[];
}

type Wanted = Pick<Slot, 'tenant' | 'start' | 'end'>;

/**
 * A window that ended this long ago without being freed is left out when its lane is written again.
 */
const KEPT_AFTER_END = 14 * DAY_MS;
/** Keeps an item below DynamoDB's 400 KB, also with client keys of 128 characters. */
const MOST_WINDOWS = 1_000;

const isOf = ({ tenant, id }: Slot, wanted: Pick<Slot, 'tenant' | 'id'>): boolean =>
  tenant === wanted.tenant && id === wanted.id;

export const isHeld = (lanes: readonly Lane[], wanted: Pick<Slot, 'tenant' | 'id'>): boolean =>
  lanes.some(({ windows }) => windows.some((slot) => isOf(slot, wanted)));

/**
 * Two hooks at once may each take a lane for one migration. The window in the lane with the lower
 * number counts; the other is void and left out.
 */
export function withoutDoubles(lanes: readonly Lane[]): readonly Lane[] {
  const seen = new Set<string>();
  const inOrder = lanes.toSorted((one, other) => one.number - other.number);
  return inOrder.map(({ number, windows }) => {
    const first = windows.filter(({ tenant, id }) => !seen.has(JSON.stringify([tenant, id])));
    for (const { tenant, id } of windows) seen.add(JSON.stringify([tenant, id]));
    return { number, windows: first };
  });
}

/** Only windows of other tenants count, because a tenant has one move at a time. */
const hasRoom = (windows: readonly Slot[], { tenant, start, end }: Wanted): boolean =>
  windows.every((slot) => slot.tenant === tenant || slot.start >= end || start >= slot.end);

/**
 * The number of the lane that takes a window; `undefined` where there is no room. Tenants are
 * spread over the lanes, and two hooks of one tenant meet at the same lane.
 */
export function laneFor(lanes: readonly Lane[], wanted: Wanted, cap: number): number | undefined {
  const counted = withoutDoubles(lanes);
  const taken = new Map(counted.map(({ number, windows }) => [number, windows]));
  const isFree = (number: number) => hasRoom(taken.get(number) ?? [], wanted);
  const beyond = counted.filter(({ number }) => number >= cap && !isFree(number)).length;
  const usable = Array.from({ length: boundOf(cap, beyond, isFree) }, (_, number) => number)
    .filter(isFree)
    .filter((number) => (taken.get(number)?.length ?? 0) < MOST_WINDOWS);
  const isOwn = (number: number) =>
    taken.get(number)?.some(({ tenant }) => tenant === wanted.tenant) === true;
  const rank = (number: number) => (isOwn(number) ? -1 : hashOf(`${wanted.tenant}#${number}`));
  return usable.toSorted((one, other) => rank(one) - rank(other))[0];
}

/**
 * Lanes below this number may be used. It is the cap, unless the cap was lowered while lanes beyond
 * it are taken. Then each of those keeps one free lane below the cap from being used, always the
 * ones with the highest numbers, so that all schedules at once leave out the same.
 */
function boundOf(cap: number, beyond: number, isFree: (number: number) => boolean): number {
  let bound = cap;
  for (let left = beyond; left > 0 && bound > 0; bound -= 1) if (isFree(bound - 1)) left -= 1;
  return bound;
}

/**
 * The windows of a lane with one more; those that ended long ago are left out. `now` in epoch
 * milliseconds.
 */
export const withWindow = (windows: readonly Slot[], slot: Slot, now: number): readonly Slot[] => [
  ...windows.filter(({ end }) => Date.parse(end) + KEPT_AFTER_END > now),
  slot,
];

/** Without the window of a migration; `undefined` where it is not there. */
export function withoutWindow(
  windows: readonly Slot[],
  freed: Pick<Slot, 'tenant' | 'id'>,
): readonly Slot[] | undefined {
  const others = windows.filter((slot) => !isOf(slot, freed));
  return others.length === windows.length ? undefined : others;
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}

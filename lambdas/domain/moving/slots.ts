/** The windows in which this realm is, or will be, a source: the cap counts those that overlap. */
export interface Slot {
  readonly tenant: string;
  readonly id: string;
  readonly takenAt: string;
  /** ISO 8601, UTC. */
  readonly start: string;
  readonly end: string;
}

export type Slots = Readonly<Record<string, Slot>>;

/** Whether fewer than `cap` windows of other tenants overlap this one (a tenant has one move at a time anyway). */
export function isFree(
  held: Slots,
  wanted: Pick<Slot, 'tenant' | 'start' | 'end'>,
  cap: number,
): boolean {
  const overlapping = Object.values(held).filter(
    ({ tenant, start, end }) =>
      tenant !== wanted.tenant && start < wanted.end && wanted.start < end,
  );
  return overlapping.length < cap;
}

/** Which lifecycle events are kept while a tenant is in a move. */
import { describe, expect, test } from 'vitest';
import {
  deliveryBy,
  deliveryGivenBack,
  isBeingDelivered,
  type KeptEvent,
  type KeptEvents,
  superseded,
  withEvent,
  withoutEvent,
} from '../../../lambdas/domain/tenants/kept-events.ts';

const NOW = 1_800_000_000_000;
const event = (iat: number, rest: Partial<KeptEvent> = {}): KeptEvent => ({
  event: 'installed',
  path: '/installed',
  named: 'acme',
  iat,
  query: '',
  contentType: 'application/json',
  body: `body of ${iat}`,
  ...rest,
});
const uninstalled = (iat: number) => event(iat, { event: 'uninstalled', path: '/uninstalled' });
const keptOf = (...events: readonly KeptEvent[]): KeptEvents | undefined =>
  events.reduce<KeptEvents | undefined>(
    (kept, one) => withEvent(kept, 'acme', one, NOW) ?? kept,
    undefined,
  );

describe('kept events', () => {
  test('are the newest of each kind, the oldest first, and expire', () => {
    const kept = keptOf(event(20), uninstalled(10), event(30), event(25), uninstalled(5));
    expect(kept?.events.map(({ path, iat }) => [path, iat])).toEqual([
      ['/uninstalled', 10],
      ['/installed', 30],
    ]);
    expect(kept?.expiresAt).toBe(NOW / 1000 + 7 * 86_400);
  });

  test('are not changed by the same one again, and of one second the later one counts', () => {
    const kept = keptOf(event(20));
    expect(withEvent(kept, 'acme', event(20), NOW + 1_000)).toBeUndefined();
    const other = event(20, { body: 'another secret' });
    expect(withEvent(kept, 'acme', other, NOW)?.events).toEqual([other]);
  });

  test('of two installations of Forge are two', () => {
    const upgraded = (named: string) => event(1, { path: '/forge/lifecycle/upgraded', named });
    expect(keptOf(upgraded('one'), upgraded('two'))?.events).toHaveLength(2);
    const many = Array.from({ length: 12 }, (_, at) => event(at, { named: `installation ${at}` }));
    expect(keptOf(...many)?.events.map(({ iat }) => iat)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test('are superseded by what is newer, and by nothing else', () => {
    const kept = keptOf(uninstalled(10), event(30));
    expect(superseded(kept, { named: 'acme', iat: 20 })?.events).toEqual([event(30)]);
    expect(superseded(kept, { named: 'acme', iat: 30 })?.events).toEqual([]);
    expect(superseded(kept, { named: 'acme', iat: 9 })).toBeUndefined();
    expect(superseded(kept, { named: 'other', iat: 99 })).toBeUndefined();
    expect(superseded(undefined, { named: 'acme', iat: 99 })).toBeUndefined();
  });

  test('are delivered by one at a time, until its time is over', () => {
    const kept = keptOf(event(20));
    const taken = deliveryBy(kept, 'one', NOW + 9_000, NOW);
    expect([isBeingDelivered(kept, NOW), isBeingDelivered(taken, NOW)]).toEqual([false, true]);
    expect(deliveryBy(taken, 'two', NOW + 9_000, NOW + 8_999)).toBeUndefined();
    expect(deliveryBy(taken, 'two', NOW + 20_000, NOW + 9_000)?.delivery?.owner).toBe('two');
    expect(deliveryGivenBack(taken, 'two')).toBeUndefined();
    expect(deliveryGivenBack(taken, 'one')).toEqual(kept);
    const delivered = withoutEvent(taken, event(20));
    expect(delivered?.events).toEqual([]);
    expect(deliveryBy(delivered, 'two', NOW, NOW + 9_000)).toBeUndefined();
    // Another one of the same second is not the one that was delivered.
    expect(withoutEvent(kept, event(20, { body: 'another' }))).toBeUndefined();
  });
});

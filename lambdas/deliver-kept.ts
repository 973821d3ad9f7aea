/**
 * Delivers lifecycle events that were kept during a move, once the tenant is out of it: in the
 * target after the commit, in the source after a rollback. The janitor calls it, so that no crash
 * loses one.
 */
import { deliveryToken } from './adapters/tokens/delivery-token.ts';
import type { Invocation } from './app/phases/range-turn.ts';
import type { App } from './compose.ts';
import { forwardVerdict } from './domain/tenants/forwarding.ts';
import {
  deliveryBy,
  deliveryGivenBack,
  isSameEvent,
  type KeptEvent,
  withoutEvent,
} from './domain/tenants/kept-events.ts';
import { isStub } from './domain/tenants/tenant.ts';
import { send } from './forward.ts';

/**
 * From the look at the tenant's record to the end of the request. The drain time of a move counts
 * with 10 seconds for an app that events are forwarded to.
 */
const DELIVERY_MS = 9_000;
/** The look must be over by then: the request takes up to 4 s. */
const LOOK_MS = 4_000;

/** A tenant has few kinds of events, most of them one, of 9 seconds at most. */
const RESERVE_MS = 20_000;

/**
 * Safe twice, and beside any hook: an event may reach the app more than once. A failure with one
 * tenant does not stop the others; what there is no time for is delivered by the next run.
 */
export async function deliverKept(app: App, { id, deadline }: Invocation): Promise<void> {
  if (!app.forwardUrl) return;
  for (const tenant of await app.kept.waiting(app.realm)) {
    if (app.ports.clock.now() > deadline - RESERVE_MS) return;
    try {
      await deliverTo(app, tenant, id);
    } catch (error) {
      app.ports.log.error(
        `alarm: an event that came during a move cannot be delivered to the app in realm ${app.realm}: ${error instanceof Error ? error.message : 'unknown error'}; it is tried again every five minutes`,
        { clientKey: tenant },
      );
    }
  }
}

/** The oldest first; where one cannot be delivered, the newer ones wait for it. */
async function deliverTo(app: App, tenant: string, owner: string): Promise<void> {
  const { kept, realm, ports } = app;
  const events = (await kept.read(realm, tenant))?.events ?? [];
  for (const event of events) {
    const now = ports.clock.now();
    const taken = await kept.change(realm, tenant, (current) =>
      deliveryBy(current, owner, now + DELIVERY_MS, now),
    );
    if (!taken.changed) return;
    try {
      // By what is kept now: something newer may have superseded it.
      const stands = taken.record?.events.some((one) => isSameEvent(one, event));
      const verdict = stands ? await deliver(app, tenant, event) : 'over';
      if (verdict === 'waits') return;
      await kept.change(realm, tenant, (current) => withoutEvent(current, event));
    } finally {
      await kept.change(realm, tenant, (current) => deliveryGivenBack(current, owner));
    }
  }
}

/** `over`: it was delivered, or something newer stands. `waits`: the move is not over here. */
async function deliver(app: App, tenant: string, event: KeptEvent): Promise<'over' | 'waits'> {
  const { ports, realm, residency } = app;
  const begun = performance.now();
  const record = await ports.tenants.read(realm, tenant);
  const fields = { clientKey: event.named, state: record?.state };
  // A target that was rolled back has no record: the source delivers it. A source whose move is
  // over keeps nothing but its stub: the target delivers it.
  if (record === undefined || record.state === 'purging' || isStub(record)) return 'over';
  const verdict = forwardVerdict(event.event, record, event.sharedSecret);
  if (verdict === 'not-served') return 'waits';
  const { sharedSecret } = record.credentials;
  if (verdict === 'superseded' || sharedSecret === undefined) {
    ports.log.info(`${event.event} that was kept is not delivered: something newer stands`, fields);
    return 'over';
  }
  if (performance.now() - begun > LOOK_MS) return 'waits';
  const { path, named: audience, body } = event;
  const delivery = { app: residency.app.key, audience, path, body };
  await send(app, event, deliveryToken(delivery, sharedSecret, ports.clock.now()));
  ports.log.info(`${event.event} that came during a move is delivered to the app`, fields);
  return 'over';
}

/** Two installations of a tenant at once, in thousands of orders of their steps. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { Fault } from '../../lambdas/domain/refusal.ts';
import { arrivalAt, TENANT } from '../support/builders.ts';
import { interleavedBy } from '../support/interleaving.ts';
import { type MemoryApp, memoryApp } from '../support/memory-app.ts';
import { tenantInUs } from '../support/moves.ts';

const install = (app: MemoryApp, at: Realm, secret: string, secondsAgo: number) =>
  app.realm(at).lifecycle.installed(arrivalAt(app.clock, secret, TENANT, secondsAgo));
const recordIn = (app: MemoryApp, realm: Realm) => app.tenants.peek(realm, TENANT);
const secretIn = (app: MemoryApp, realm: Realm) => recordIn(app, realm)?.credentials.sharedSecret;

describe('two installations at once, in two realms', () => {
  /** At no instant do two realms serve. */
  const atMostOne = async (app: () => MemoryApp) => {
    expect(servingIn(app()).length).toBeLessThanOrEqual(1);
  };

  test.each<[number, number, readonly Realm[]]>([
    [1, 0, ['de']],
    [0, 1, ['us']],
    // Two installations are equally new; only one opens.
    [0, 0, ['us', 'de']],
  ])(
    'issued %i and %i seconds ago: the newer one serves in the end, in any order of their steps, and never do both',
    async (agoUs, agoDe, winners) => {
      await fc.assert(
        fc.asyncProperty(fc.scheduler(), async (scheduler) => {
          const interleaving = interleavedBy(scheduler);
          const app: MemoryApp = memoryApp({
            hooks: { ...interleaving.hooks, after: () => atMostOne(() => app) },
          });
          interleaving.begin();
          await scheduler.waitFor(
            Promise.all([
              untilAnswered(() => install(app, 'us', 'of us', agoUs)),
              untilAnswered(() => install(app, 'de', 'of de', agoDe)),
            ]),
          );
          interleaving.end();
          const [serving = 'none', ...others] = servingIn(app);
          expect(others).toEqual([]);
          expect(winners).toContain(serving);
          expect(secretIn(app, serving)).toBe(`of ${serving}`);
        }),
        { numRuns: 1_000 },
      );
    },
  );

  test('of which one takes over what is active in a third, never do two serve, and the newer one does in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const interleaving = interleavedBy(scheduler);
        const app: MemoryApp = tenantInUs({
          hooks: { ...interleaving.hooks, after: () => atMostOne(() => app) },
        });
        interleaving.begin();
        await scheduler.waitFor(
          Promise.all([
            untilAnswered(() => install(app, 'eu', 'of eu', 1)),
            untilAnswered(() => install(app, 'de', 'of de', 0)),
          ]),
        );
        interleaving.end();
        expect(servingIn(app)).toEqual(['de']);
        expect(app.holdings('us')).not.toEqual({});
      }),
      { numRuns: 1_000 },
    );
  });
});

const servingIn = (app: MemoryApp) =>
  app.realms.filter((realm) => ['active', 'frozen'].includes(recordIn(app, realm)?.state ?? ''));

/** Repeats the call after a fault, as Atlassian does. */
async function untilAnswered(call: () => Promise<void>): Promise<void> {
  for (let tries = 0; tries < 20; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }
  throw new Error('it was never answered');
}

/**
 * A table that one step cannot scan: it is worked on in segments, and each is proven empty by
 * itself, in as many steps as it takes.
 */
import { describe, expect, test } from 'vitest';
import type { Part } from '../../lambdas/domain/datasets/dataset.ts';
import { tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import { TENANT } from '../support/builders.ts';
import { DAY, manualClock, SECOND } from '../support/clock.ts';
import type { Operation } from '../support/in-memory-cells.ts';
import { PARTS } from '../support/memory-app.ts';
import { interruptedAt, move, situation, tenantInUs } from '../support/moves.ts';

/** In memory, each segment has all items of the tenant. */
const SEGMENTED: readonly Part[] = tablesOf(PARTS).map((part) =>
  part.name === 'templates'
    ? {
        ...part,
        discover: { by: 'scan', attribute: 'tenant', largestTableGB: 3 },
      }
    : part,
);
const RANGES = ['templates/00', 'templates/01', 'templates/02'];

/** A proof of emptiness takes 20 seconds; `before` is called before each. */
function slowProofs(before: (proof: number) => void = () => {}) {
  const clock = manualClock();
  const proofs: string[] = [];
  const step = async ({ name, realm, detail }: Operation) => {
    if (name !== 'isEmpty' || detail !== TENANT) return;
    proofs.push(realm);
    before(proofs.length);
    clock.advance(20 * SECOND);
  };
  return { clock, proofs, hooks: { step } };
}

describe('a table with three segments', () => {
  test('is proven to be empty before it is claimed, in several steps, and once each', async () => {
    const { clock, proofs, hooks } = slowProofs();
    const app = tenantInUs({ parts: SEGMENTED, clock, hooks });
    const migration = move(app);
    await migration.driveTo('copying');
    const prepared: number[] = [];
    await app.runAll({
      invoke: async (task, call) => {
        const begun = clock.now();
        const answer = await call();
        if (task === 'prepareCopy') prepared.push((clock.now() - begun) / 1000);
        return answer;
      },
    });
    expect(await migration.said.status()).toBe('200 ready-to-commit');
    // `previews` is a cache: nothing is asked of it.
    expect(proofs).toEqual(['de', 'de', 'de']);
    expect(prepared).toEqual([20, 20, 20]);
  });

  test('is purged, each segment is proven empty by its worker, and the receipt names them', async () => {
    const { clock, proofs, hooks } = slowProofs();
    const app = tenantInUs({ parts: SEGMENTED, clock, hooks });
    await move(app).driveTo('committed');
    expect(app.holdings('us')).toEqual({});
    const receipt = await app.receipts.read('us', TENANT, '57500');
    expect(receipt?.provenEmpty?.ranges).toEqual(expect.arrayContaining(RANGES));
    // Of `previews` one proof more, in the step that ends the move.
    expect(proofs.filter((realm) => realm === 'us')).toHaveLength(3 + 2);
  });

  test('is proven to be empty in several steps also where it is copied ahead, and not again', async () => {
    const { clock, proofs, hooks } = slowProofs();
    const copyAhead = { hoursBefore: 24, above: '1 second' };
    const app = tenantInUs({ parts: SEGMENTED, clock, hooks, copyAhead });
    const migration = move(app);
    await migration.driveTo('scheduled');
    await app.realm('us').operate({ verb: 'ahead', ...migration.key, actor: 'ada' });
    await app.runAll();
    expect(migration.record().ahead?.finishedAt).toBeDefined();
    expect(proofs).toEqual(['de', 'de', 'de']);
    app.clock.advanceTo(Date.parse(migration.facts.startTime));
    await migration.said.start();
    await app.runAll();
    expect(await migration.said.status()).toBe('200 ready-to-commit');
    expect(proofs).toHaveLength(3);
    const { previews: _, ...moving } = app.holdings('us');
    expect(app.holdings('de')).toEqual(moving);
  });

  test('is not claimed where a later segment is in use', async () => {
    const { clock, hooks } = slowProofs((proof) => {
      if (proof === 3) app.fill('de');
    });
    const app = tenantInUs({ parts: SEGMENTED, clock, hooks });
    const migration = move(app);
    await migration.driveTo('copying');
    await app.runAll();
    expect(await migration.said.status()).toBe('200 failed E9999');
    expect(app.tenants.peek('de', TENANT)).toBeUndefined();
    expect(app.tenants.peek('us', TENANT)?.state).toBe('active');
    const said = JSON.stringify(app.log.lines);
    expect(said).toContain('holds items of the tenant in templates before anything was copied');
  });

  test.each(['before', 'after'] as const)(
    'is claimed by the next step, wherever the one before dies: %s an operation',
    async (when) => {
      for (let stop = 1; stop <= 30; stop += 1) {
        const death = interruptedAt(stop, when);
        const app = tenantInUs({ parts: SEGMENTED, hooks: death.hooks });
        const migration = move(app);
        await migration.driveTo('copying');
        death.arm();
        await app.runAll({
          // Dead is dead: what was armed for one invocation kills no other.
          invoke: (_task, call) => call().finally(death.disarm),
        });
        expect(await migration.said.status(), `${when} ${stop}`).toBe('200 ready-to-commit');
        const { previews: _, ...moving } = app.holdings('us');
        expect(app.holdings('de'), `${when} ${stop}`).toEqual(moving);
      }
    },
  );

  test('is purged of a retired tenant in as many runs as it takes, each segment once', async () => {
    const { clock, proofs, hooks } = slowProofs();
    const app = tenantInUs({ parts: SEGMENTED, clock, hooks });
    await app.realm('us').lifecycle.uninstalled(TENANT, Math.floor(clock.now() / 1000));
    clock.advance(31 * DAY);
    let runs = 0;
    for (; app.tenants.peek('us', TENANT) !== undefined; runs += 1) {
      expect(runs).toBeLessThan(10);
      const deadline = clock.now() + 25 * SECOND;
      await app.realm('us').purgeRetired({ id: `run-${runs}`, deadline });
      clock.advance(DAY);
    }
    expect(situation(app)).toEqual({});
    expect(runs).toBeGreaterThanOrEqual(3);
    // The cache's proof ends a run; the segments' proofs are not repeated in it.
    expect(proofs).toHaveLength(4);
    const [receipt] = await app.receipts.purges('us', TENANT);
    expect(receipt?.provenEmpty).toEqual(expect.arrayContaining(RANGES));
  });
});

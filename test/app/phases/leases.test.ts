/**
 * A lease is held as long as a worker works under it, and no longer, also where replies are lost or
 * the clock is set back.
 */
import { describe, expect, test } from 'vitest';
import { secondsLeft } from '../../../lambdas/app/phases/task-input.ts';
import { Fault } from '../../../lambdas/domain/refusal.ts';
import type { TenantRecord } from '../../../lambdas/domain/tenants/tenant.ts';
import { rangeRecord, TENANT, tenantRecord } from '../../support/builders.ts';
import { MINUTE, SECOND } from '../../support/clock.ts';
import { type Hooks, LostReply, type Operation } from '../../support/in-memory-cells.ts';
import type { MemoryApp } from '../../support/memory-app.ts';
import { move, tenantInUs } from '../../support/moves.ts';

/** Disturbs the first write of each range's record, which takes the lease. */
function disturbed(act: 'before' | 'after', error: () => Error): Hooks {
  const seen = new Set<string>();
  const hit = async ({ port, access, detail = '' }: Operation) => {
    if (port !== 'rangeRecords' || access !== 'write' || seen.has(detail)) return;
    seen.add(detail);
    throw error();
  };
  return act === 'before' ? { step: hit } : { after: hit };
}

async function copying(hooks: Hooks = {}) {
  const migration = move(tenantInUs({ hooks }));
  await migration.driveTo('copying');
  return migration;
}

/** How long the copy takes, in milliseconds, and the status afterwards. */
async function copied({ app, said }: Awaited<ReturnType<typeof copying>>) {
  const begun = app.clock.now();
  await app.runAll();
  return { took: app.clock.now() - begun, says: await said.status() };
}

describe('a worker whose write of a lease was answered by nothing', () => {
  test('goes on, where the client finds that the write was its own', async () => {
    const undisturbed = await copied(await copying());
    expect(await copied(await copying(disturbed('after', () => new LostReply())))).toEqual(
      undisturbed,
    );
  });

  test.each([
    ['and it happened', 'after'],
    ['and it did not happen', 'before'],
  ] as const)('gives the lease back, %s: the next worker need not wait', async (_, act) => {
    const undisturbed = await copied(await copying());
    const { took, says } = await copied(
      await copying(disturbed(act, () => new Fault('no reply came'))),
    );
    expect(says).toBe('200 ready-to-commit');
    // Each task fails once, and the retrier pauses after it: the claim, and four ranges in turn.
    expect(took - undisturbed.took).toBeLessThan(15 * SECOND);
  });

  test('makes a write that is still on its way fail', async () => {
    const { app, key } = await copying(disturbed('before', () => new Fault('no reply came')));
    const [run] = app.workflows.running();
    if (run === undefined) throw new Error('no copy runs');
    await app.runWorkflow(run, { tries: 1 });
    const late = rangeRecord({ range: 'claim', lease: { owner: 'invocation-1', until: 1 } });
    expect(await app.rangeRecords.put('de', key, late)).toBeUndefined();
    expect(app.rangeRecords.peek('de', key)).toMatchObject([{ range: 'claim' }]);
    expect(app.rangeRecords.peek('de', key)[0]?.lease).toBeUndefined();
  });
});

describe('the claim on the target', () => {
  test('waits for an invocation that has died while it held the lease, for as long as that lasts', async () => {
    const migration = await copying();
    const { app, key } = migration;
    const until = app.clock.now() + 5 * MINUTE;
    const lease = { owner: 'somebody who died', until };
    await app.rangeRecords.put('de', key, rangeRecord({ range: 'claim', lease }));
    expect(await copied(migration)).toMatchObject({ says: '200 ready-to-commit' });
    expect(app.clock.now()).toBeGreaterThanOrEqual(until);
    expect(app.clock.now()).toBeLessThan(until + 2 * MINUTE);
  });
});

describe('a purge of a retired tenant', () => {
  const due = (purge?: NonNullable<TenantRecord['purge']>) =>
    tenantRecord({
      state: purge ? 'purging' : 'retired',
      uninstalledIat: 2_000,
      purgeDueAt: 3_000,
      ...(purge && { purge }),
    });
  const run = (app: MemoryApp, id: string) =>
    app.realm('us').purgeRetired({ id, deadline: app.clock.now() + 5 * MINUTE });

  test('gives its lease back when the reply to the write of it was lost', async () => {
    let isLost = false;
    const hooks: Hooks = {
      after: async ({ port, name }) => {
        if (port !== 'tenants' || name !== 'change' || isLost) return;
        isLost = true;
        throw new Fault('no reply came');
      },
    };
    const app = tenantInUs({ hooks });
    app.tenants.set('us', due());
    await run(app, 'purge-1');
    expect(app.tenants.peek('us', TENANT)).toMatchObject({ state: 'purging', purge: { until: 0 } });
    await run(app, 'purge-2');
    expect(app.tenants.peek('us', TENANT)).toBeUndefined();
  });

  test('waits no longer than a lease can last when the clock was set back since', async () => {
    const app = tenantInUs();
    const until = app.clock.now() + 30 * MINUTE;
    app.tenants.set('us', due({ owner: 'somebody who died', until, begunAt: '2026-12-25' }));
    await run(app, 'purge-1');
    expect(app.tenants.peek('us', TENANT)?.purge).toMatchObject({
      owner: 'somebody who died',
      until: app.clock.now() + 6 * MINUTE,
    });
    app.clock.advance(6 * MINUTE + 1);
    await run(app, 'purge-2');
    expect(app.tenants.peek('us', TENANT)).toBeUndefined();
  });
});

describe('after the clock was set back by 25 minutes', () => {
  const SET_BACK = 25 * MINUTE;

  test('no pause is longer than it was meant to be', () => {
    const now = Date.parse('2026-12-26T00:00:00.000Z');
    expect(secondsLeft(now, 60, now)).toBe(60);
    expect(secondsLeft(now + SET_BACK, 60, now)).toBe(60);
    expect(secondsLeft(now + SET_BACK, 0, now)).toBe(0);
    expect(secondsLeft(now - 59_500, 60, now)).toBe(1);
    expect(secondsLeft(now - SET_BACK, 60, now)).toBe(0);
  });

  test('a failed move is rolled back by the janitor when it was to be', async () => {
    const failed = move(tenantInUs());
    await failed.driveTo('failed');
    failed.app.clock.advanceTo(Date.parse(failed.facts.endTime) + SET_BACK + SECOND);
    const written = failed.record();
    failed.app.migrations.set({
      ...written,
      updatedAt: new Date(failed.app.clock.now() + SET_BACK).toISOString(),
    });
    await failed.app.realm('us').janitor();
    expect(failed.record()).toEqual({
      ...written,
      updatedAt: new Date(failed.app.clock.now()).toISOString(),
    });
    expect(failed.history().map(({ status }) => status)).toEqual([
      'scheduled',
      'copying',
      'failed',
    ]);
    failed.app.clock.advance(61 * MINUTE);
    await failed.app.realm('us').janitor();
    expect(failed.record().status).toBe('rolling-back');
  });

  test('the drain before a copy takes the drain time', async () => {
    const migration = await copying();
    const { app } = migration;
    const undisturbed = (await copied(await copying())).took;
    const record = app.tenants.peek('us', TENANT);
    if (record === undefined) throw new Error('the tenant is gone');
    app.tenants.set('us', { ...record, fencedAt: app.clock.now() + SET_BACK });
    expect(await copied(migration)).toEqual({ took: undisturbed, says: '200 ready-to-commit' });
  });

  test.each(['claim', 'templates/00'])(
    'a lease that was taken before, on %s, lasts no longer than a lease can',
    async (range) => {
      const migration = await copying();
      const { app, key } = migration;
      const lease = { owner: 'somebody who died', until: app.clock.now() + 5 * MINUTE + SET_BACK };
      await app.rangeRecords.put('de', key, rangeRecord({ range, lease }));
      const { took, says } = await copied(migration);
      expect(says).toBe('200 ready-to-commit');
      expect(took).toBeGreaterThan(5 * MINUTE);
      expect(took).toBeLessThan(9 * MINUTE);
    },
  );

  test.each(['us', 'de'])('nor does a rollback wait longer for one in %s', async (realm) => {
    const { app, key, said } = await copying();
    const lease = { owner: 'somebody who died', until: app.clock.now() + 5 * MINUTE + SET_BACK };
    await app.rangeRecords.put(realm, key, rangeRecord({ lease }));
    await said.rollback();
    const begun = app.clock.now();
    await app.runAll();
    expect(await said.status()).toBe('200 rolled-back');
    expect(app.clock.now() - begun).toBeGreaterThan(5 * MINUTE);
    expect(app.clock.now() - begun).toBeLessThan(9 * MINUTE);
  });
});

/**
 * Settings that change a running move: how many ranges are worked on at once, and which realm's
 * setting counts.
 */
import { setImmediate as othersFirst } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { RangeRecord } from '../../lambdas/domain/moving/range-record.ts';
import type { Settings } from '../../lambdas/domain/operating/settings.ts';
import type { Operation } from '../support/in-memory-cells.ts';
import type { MemoryApp, MemoryAppOptions } from '../support/memory-app.ts';
import type { WorkflowOptions } from '../support/memory-workflow.ts';
import { move, type Row, situation, tenantInUs } from '../support/moves.ts';

const withShards = (shards: number): MemoryAppOptions => ({
  parts: [
    {
      kind: 'dynamodb',
      policy: 'move',
      partitionKey: 'tenant',
      shards,
      name: 'exports',
      sortKey: { name: 'id', type: 'S' },
    },
  ],
});
const options: MemoryAppOptions = { ...withShards(6), pageItems: 1 };

/** Counts, at every page in `realm`, the ranges with a page that hold their lease. */
function watched(realm: string) {
  let app: MemoryApp | undefined;
  const seen: number[] = [];
  const atWork = new Set<string>();
  const onPage: ((pages: number) => void)[] = [];
  const step = async ({ port, name, detail = '' }: Operation) => {
    if (app === undefined || port !== 'partKind' || name === 'isEmpty') return;
    const page = `exports/${detail.slice(-2)} ${name}`;
    // another kind of work has begun
    if (page.split(' ')[1] !== [...atWork][0]?.split(' ')[1]) atWork.clear();
    atWork.add(page);
    const now = app.clock.now();
    const ranges = app.rangeRecords.peek(realm, { ledger: 'us', tenant: 'tenant-1', id: '57500' });
    const isAtWork = ({ range, lease }: RangeRecord) =>
      atWork.has(`${range} ${name}`) && lease !== undefined && lease.until > now;
    for (const { range, lease } of ranges)
      if (lease === undefined) atWork.delete(`${range} ${name}`);
    seen.push(ranges.filter(isAtWork).length);
    for (const listener of onPage) listener(seen.length);
  };
  return {
    hooks: { step },
    watch(watchedApp: MemoryApp) {
      app = watchedApp;
    },
    most: () => Math.max(...seen),
    seen,
    onPage,
  };
}

/**
 * Works on all ranges at once. A waiting range lets the others work, for as long as an invocation
 * may.
 */
const concurrently = (app: MemoryApp): WorkflowOptions => ({
  parallel: true,
  wait: async (milliseconds) => {
    await othersFirst();
    app.clock.advance(milliseconds);
  },
});

async function movedUnder(
  row: Row,
  realm: string,
  settings: Partial<Settings>,
  more: MemoryAppOptions = {},
) {
  const watch = watched(realm);
  const migration = move(tenantInUs({ ...options, ...more, hooks: watch.hooks }));
  await migration.driveTo(row === 'rolling-back' ? 'ready-to-commit' : row);
  if (row === 'rolling-back') await migration.said.rollback();
  migration.app.settings.set(realm, settings);
  watch.watch(migration.app);
  return { ...migration, watch };
}

describe('ranges at work at once', () => {
  test('are sixteen where nothing is set, and the others follow', async () => {
    const { app, watch, said } = await movedUnder('copying', 'de', {}, withShards(20));
    await app.runAll(concurrently(app));
    expect(await said.status()).toBe('200 ready-to-commit');
    expect(watch.most()).toBe(16);
  });

  test('are as many as the deployment says where nothing is set', async () => {
    const { app, watch, said } = await movedUnder('copying', 'de', {}, { concurrency: 3 });
    await app.runAll(concurrently(app));
    expect(await said.status()).toBe('200 ready-to-commit');
    expect(watch.most()).toBe(3);
  });

  test('become more while the copy runs, when its turns end', async () => {
    const { app, watch, said } = await movedUnder(
      'copying',
      'de',
      { concurrency: 2 },
      withShards(40),
    );
    watch.onPage.push((pages) => {
      if (pages < 20) app.clock.advance(20_000); // so that the first turns end
      if (pages === 3) app.settings.set('de', { concurrency: 32 }, 'tenant-1');
    });
    await app.runAll(concurrently(app));
    expect(await said.status()).toBe('200 ready-to-commit');
    expect(Math.max(...watch.seen.slice(0, 12))).toBe(2); // for the four minutes of a turn
    expect(watch.most()).toBe(32);
  });

  test('are all where there are no more than sixteen', async () => {
    const { app, watch, said } = await movedUnder('copying', 'de', {});
    await app.runAll(concurrently(app));
    expect(await said.status()).toBe('200 ready-to-commit');
    expect(watch.most()).toBe(6);
  });

  test.each<[Row, string, string]>([
    ['copying', 'de', '200 ready-to-commit'],
    ['committing', 'us', '200 committed'],
    ['rolling-back', 'de', '200 rolled-back'],
  ])('are as many as the realm allows whose data is changed: %s', async (row, realm, end) => {
    const { app, watch, said } = await movedUnder(row, realm, { concurrency: 2 });
    await app.runAll(concurrently(app));
    expect(await said.status()).toBe(end);
    expect(watch.most()).toBeLessThanOrEqual(2);
    expect(watch.seen.length).toBeGreaterThan(0);
  });

  test('are not held up by what the realm that is only read allows', async () => {
    const { app, watch } = await movedUnder('copying', 'de', {});
    app.settings.set('us', { concurrency: 1 });
    await app.runAll(concurrently(app));
    expect(watch.most()).toBe(6);
  });

  test('follow a change in the middle of the copy, from the next turn on', async () => {
    const { app, watch, said } = await movedUnder('copying', 'de', { concurrency: 4 });
    watch.onPage.push((pages) => {
      if (pages === 3) app.settings.set('de', { concurrency: 1 }, 'tenant-1');
    });
    await app.runAll(concurrently(app));
    expect(await said.status()).toBe('200 ready-to-commit');
    expect(watch.most()).toBe(4);
    expect(watch.seen.at(-1)).toBe(1);
    expect(situation(app)).toMatchObject({ de: { state: 'standby' } });
  });

  test('go on where an operator has mistyped the setting', async () => {
    const { app, said } = await movedUnder('copying', 'de', {});
    app.settings.set('de', { concurrency: 'four', rateLimit: -1 });
    await app.runAll(concurrently(app));
    expect(await said.status()).toBe('200 ready-to-commit');
    expect(app.log.alarms().join()).toContain('concurrency, rateLimit');
  });
});

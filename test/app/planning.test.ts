/** Tenants of known size: counted ahead of their window, refused when it cannot suffice, given up when it turns out not to. */
import { describe, expect, test } from 'vitest';
import type { Measurement } from '../../lambdas/domain/datasets/size.ts';
import { itemOf, TENANT } from '../support/builders.ts';
import { DAY, HOUR, MINUTE } from '../support/clock.ts';
import type { MemoryApp, MemoryAppOptions } from '../support/memory-app.ts';
import { type Move, move, type Row, situation, tenantInUs } from '../support/moves.ts';

async function moved(row: Row, options: MemoryAppOptions = {}): Promise<Move> {
  const migration = move(tenantInUs(options));
  await migration.driveTo(row);
  return migration;
}

let invocations = 0;
/** One turn of the count, which is over after `milliseconds`. */
function count(app: MemoryApp, milliseconds = MINUTE): Promise<void> {
  invocations += 1;
  const deadline = app.clock.now() + milliseconds;
  return app.realm('us').measuring.run({ id: `count-${invocations}`, deadline });
}

/** As if `items` of 1 KB had been counted in the templates, which lie under one key: 1,000 a second at best. */
const sizeOf = (app: MemoryApp, items: number, age = 0): Measurement => {
  const at = new Date(app.clock.now() - age).toISOString();
  return {
    begunAt: at,
    finishedAt: at,
    ranges: { 'templates/00': { items, bytes: items * 1024, expired: 0, complete: true } },
  };
};
/** Two hours, and what is kept of them, suffice for less than seven million. */
const TOO_MANY = 8_000_000;

describe('a tenant that is scheduled', () => {
  test('is counted, and the planner’s word stands on the migration', async () => {
    const migration = await moved('scheduled');
    await count(migration.app);
    expect(migration.record().estimate).toMatchObject({ items: 12, bytes: expect.any(Number) });
    expect(migration.record().estimate?.bytes).toBeGreaterThan(12 * 20);
    const measurement = await migration.app.ledger.readMeasurement('us', TENANT);
    expect(Object.keys(measurement?.ranges ?? {})).toEqual([
      'templates/00',
      'exports/00',
      'exports/01',
    ]);
  });

  test('is counted in as many turns as it takes, and nothing twice', async () => {
    const pages: string[] = [];
    const migration = await moved('scheduled', {
      pageItems: 1,
      hooks: {
        step: async ({ name, detail = '' }) => void (name === 'size' && pages.push(detail)),
      },
    });
    for (let turn = 0; migration.record().estimate === undefined; turn += 1) {
      expect(turn).toBeLessThan(20);
      await count(migration.app, 10_001); // a single page's time
      migration.app.clock.advance(5 * MINUTE);
    }
    expect(migration.record().estimate?.items).toBe(12);
  });

  test('is not counted again while its size is fresh, and then it is', async () => {
    const sizes: string[] = [];
    const migration = await moved('scheduled', {
      hooks: { step: async ({ name }) => void (name === 'size' && sizes.push(name)) },
    });
    const { app } = migration;
    await app.ledger.writeMeasurement('us', TENANT, sizeOf(app, 5));
    await count(app);
    expect(sizes).toEqual([]);
    expect(migration.record().estimate?.items).toBe(5);
    await app.ledger.writeMeasurement('us', TENANT, sizeOf(app, 5, 8 * DAY));
    app.clock.advance(MINUTE);
    await count(app);
    expect(migration.record().estimate?.items).toBe(12);
  });

  test('is not counted where nothing has to move, or its move has begun', async () => {
    const copying = await moved('copying');
    await count(copying.app);
    expect(copying.record().estimate).toBeUndefined();
  });
});

describe('a window that cannot suffice', () => {
  test('is refused when it is scheduled, and leaves nothing behind', async () => {
    const migration = await moved('no record');
    const { app, said } = migration;
    await app.ledger.writeMeasurement('us', TENANT, sizeOf(app, TOO_MANY));
    expect(await said.schedule()).toBe('400 E9999');
    expect(app.ledger.peek(migration.key)).toBeUndefined();
    expect(app.ledger.peekSlots('us')).toEqual([]);
  });

  test.each<[string, number, number]>([
    ['small', 6_000_000, 0],
    ['counted long ago', TOO_MANY, 31 * DAY],
  ])('is none for a tenant that is %s', async (_, items, age) => {
    const migration = await moved('no record');
    await migration.app.ledger.writeMeasurement('us', TENANT, sizeOf(migration.app, items, age));
    expect(await migration.said.schedule()).toBe('200 scheduled');
  });

  test('is known from the move by which the tenant came', async () => {
    const first = await moved('committed');
    const { app } = first;
    const receipt = app.ledger.peekReceipt('de', TENANT, first.id);
    expect(receipt?.seals['templates']?.items).toBe(4);
    const seal = { ...receipt?.seals['templates'], items: TOO_MANY, bytes: TOO_MANY * 1024 };
    const next = { ...receipt, seals: { ...receipt?.seals, templates: seal } };
    await app.ledger.writeReceipt('de', Object(next));
    expect(await move(app, { id: '2', source: 'de', location: 'US' }).said.schedule()).toBe(
      '400 E9999',
    );
  });

  test('is refused at the start when the size became known later; it stays scheduled, nobody is fenced, and it can be rolled back', async () => {
    const migration = await moved('scheduled');
    const { app, said } = migration;
    await app.ledger.writeMeasurement('us', TENANT, sizeOf(app, TOO_MANY));
    await count(app);
    expect(app.log.alarms().join()).toContain('cannot be done in its window: 8000000 items');
    app.clock.advanceTo(Date.parse(migration.facts.startTime));
    expect(await said.start()).toBe('409 E9999');
    expect(await said.start()).toBe('409 E9999');
    expect(await said.status()).toBe('200 scheduled');
    expect(situation(app)).toMatchObject({ us: { state: 'active' } });
    expect(app.workflows.runs()).toEqual([]);
    expect(await said.rollback()).toBe('200 rolled-back');
  });

  test('that is refused only because the start came late', async () => {
    const migration = await moved('scheduled');
    const { app, said, facts } = migration;
    await app.ledger.writeMeasurement('us', TENANT, sizeOf(app, 5_000_000));
    app.clock.advanceTo(Date.parse(facts.startTime) + HOUR);
    expect(await said.start()).toBe('409 E9999');
  });
});

/** A copy that has begun, of something more than a hundred items, by a worker that has copied so many and goes no further. */
async function halfway(items: number): Promise<Move> {
  const migration = await moved('scheduled', { pageItems: 1 });
  const { app, said, facts } = migration;
  for (let number = 0; number < 100; number += 1)
    app.datasets.put('us', 'templates', itemOf(TENANT, `more-${number}`));
  await count(app);
  app.clock.advanceTo(Date.parse(facts.startTime));
  await said.start();
  await app.ledger.putRange('de', migration.key, {
    range: 'templates/00',
    revision: 0,
    work: 'copy',
    asOf: 1,
    lastingUntil: 2,
    tries: 0,
    done: false,
    target: {
      done: false,
      changed: items,
      digest: { items, bytes: 1, buckets: new Map(), lasting: { count: 0, sum: 0n } },
    },
  });
  return migration;
}

describe('a copy that turns out to be too slow', () => {
  test('is measured from its tenth minute on, by the minutes that it is expected to come too late', async () => {
    const { app, facts, record } = await halfway(11);
    const minutes = () => app.metrics.values('MinutesBeyondWindow');
    app.clock.advance(10 * MINUTE); // of which the source drains for one
    await app.realm('us').janitor.run();
    expect(minutes()).toEqual([]);
    app.clock.advance(MINUTE);
    await app.realm('us').janitor.run();
    const late = Date.parse(record().projection?.endsAt ?? '') - Date.parse(facts.endTime);
    expect(minutes()).toEqual([late / MINUTE]);
    expect(late).toBeGreaterThan(MINUTE);
  });

  test('is measured as nought while it is expected to be in time', async () => {
    const { app, record } = await halfway(100);
    app.clock.advance(11 * MINUTE);
    await app.realm('us').janitor.run();
    expect(record().projection?.beyond).toBe(0);
    expect(app.metrics.values('MinutesBeyondWindow')).toEqual([0]);
  });

  test('is given up by the janitor in its third look, before its window ends', async () => {
    const { app, said, record, facts } = await halfway(11);
    app.clock.advance(21 * MINUTE);
    const statuses: string[] = [];
    for (let look = 0; look < 3; look += 1) {
      await app.realm('us').janitor.run();
      statuses.push(record().status);
      expect(Date.parse(record().projection?.endsAt ?? '')).toBeGreaterThan(
        Date.parse(facts.endTime),
      );
      app.clock.advance(5 * MINUTE);
    }
    expect(statuses).toEqual(['copying', 'copying', 'failed']);
    expect(await said.status()).toBe('200 failed E9999');
    expect(record().error?.reason).toContain('after its window');
    expect(situation(app)).toMatchObject({ us: { state: 'active' } });
  });
});

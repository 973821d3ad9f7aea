/**
 * Tenants of known size: counted before their window, refused when it is too short, given up when
 * the copy turns out too slow.
 */
import { describe, expect, test } from 'vitest';
import type { Measurement } from '../../lambdas/domain/datasets/size.ts';
import { Fault } from '../../lambdas/domain/refusal.ts';
import { itemOf, TENANT } from '../support/builders.ts';
import { DAY, HOUR, MINUTE, manualClock, SECOND } from '../support/clock.ts';
import type { Hooks } from '../support/in-memory-cells.ts';
import type { MemoryApp, MemoryAppOptions } from '../support/memory-app.ts';
import { type Move, move, type Row, situation, tenantInUs } from '../support/moves.ts';

async function moved(row: Row, options: MemoryAppOptions = {}): Promise<Move> {
  const migration = move(tenantInUs(options));
  await migration.driveTo(row);
  return migration;
}

let invocations = 0;
/** One turn of the count, which ends after `milliseconds`. */
function count(app: MemoryApp, milliseconds = MINUTE): Promise<void> {
  invocations += 1;
  const deadline = app.clock.now() + milliseconds;
  return app.realm('us').measureTenants({ id: `count-${invocations}`, deadline });
}

/** A count of `items` of 1 KB in the templates, which are under one key: at most 1,000 a second. */
const sizeOf = (app: MemoryApp, items: number, age = 0): Measurement => {
  const at = new Date(app.clock.now() - age).toISOString();
  return {
    begunAt: at,
    finishedAt: at,
    ranges: { 'templates/00': { items, bytes: items * 1024, expired: 0, complete: true } },
  };
};
/** Two hours, less the reserve, are enough for less than seven million. */
const TOO_MANY = 8_000_000;

describe('a tenant that is scheduled', () => {
  test('is counted, and the planner’s word stands on the migration', async () => {
    const migration = await moved('scheduled');
    await count(migration.app);
    expect(migration.record().estimate).toMatchObject({ items: 12, bytes: expect.any(Number) });
    expect(migration.record().estimate?.bytes).toBeGreaterThan(12 * 20);
    const measurement = await migration.app.measurements.read('us', TENANT);
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
      await count(migration.app, 10_001); // time for a single page
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
    await app.measurements.write('us', TENANT, sizeOf(app, 5));
    await count(app);
    expect(sizes).toEqual([]);
    expect(migration.record().estimate?.items).toBe(5);
    await app.measurements.write('us', TENANT, sizeOf(app, 5, 8 * DAY));
    app.clock.advance(MINUTE);
    await count(app);
    expect(migration.record().estimate?.items).toBe(12);
  });

  test('is counted again when it was last counted before the schedule', async () => {
    const migration = await moved('no record');
    const { app, said } = migration;
    await app.measurements.write('us', TENANT, sizeOf(app, 5, MINUTE));
    await said.schedule();
    await count(app);
    expect(migration.record().estimate?.items).toBe(12);
  });

  test('is counted once more shortly before its window, and not a third time', async () => {
    const migration = await moved('scheduled');
    const { app, facts } = migration;
    await count(app);
    app.datasets.put('us', 'templates', itemOf(TENANT, 'one more'));
    app.clock.advanceTo(Date.parse(facts.startTime) - 50 * MINUTE);
    await count(app);
    expect(migration.record().estimate?.items).toBe(12);
    app.clock.advanceTo(Date.parse(facts.startTime) - 44 * MINUTE);
    await count(app);
    expect(migration.record().estimate?.items).toBe(13);
    app.datasets.put('us', 'templates', itemOf(TENANT, 'another'));
    app.clock.advanceTo(Date.parse(facts.startTime) - MINUTE);
    await count(app);
    expect(migration.record().estimate?.items).toBe(13);
  });

  test('is not counted where nothing has to move, or its move has begun', async () => {
    const copying = await moved('copying');
    await count(copying.app);
    expect(copying.record().estimate).toBeUndefined();
  });
});

/** Once this is switched on, each range takes longer to count than a hook may wait. */
function slowCounts() {
  let isSlow = false;
  const clock = manualClock();
  const hooks: Hooks = {
    step: async ({ name }) => {
      if (name === 'size' && isSlow) clock.advance(2 * SECOND);
    },
  };
  const slow = () => {
    isSlow = true;
  };
  return { clock, hooks, pageItems: 1, slow };
}

/** Items under one key, which DynamoDB writes at a thousand a second. */
const fillTemplates = (app: MemoryApp, items: number) => {
  for (let number = 0; number < items; number += 1)
    app.datasets.put('us', 'templates', itemOf(TENANT, `more-${number}`));
};
/** From now on; the drain takes one of the minutes, and a twentieth is the reserve. */
const window = (app: MemoryApp, seconds: number) => ({
  startTime: new Date(app.clock.now()).toISOString(),
  endTime: new Date(app.clock.now() + seconds * SECOND).toISOString(),
});

describe('a window that cannot suffice', () => {
  test('is refused when it is scheduled, and leaves nothing behind', async () => {
    const migration = await moved('no record', { pageItems: 50_000 });
    const { app, said } = migration;
    fillTemplates(app, 30_000);
    await app.measurements.write('us', TENANT, sizeOf(app, 30_000, 3 * DAY));
    expect(await said.schedule('us', window(app, 80))).toBe('400 E9999');
    expect(app.migrations.peek(migration.key)).toBeUndefined();
    expect(app.slots.peek('us')).toEqual([]);
    // The count replaces the known size.
    const known = await app.measurements.read('us', TENANT);
    expect(known?.ranges['templates/00']?.items).toBe(30_004);
  });

  test('is none for a tenant that was counted at 30,000 items and has one by now, at the schedule and at the start', async () => {
    const first = await moved('no record', { pageItems: 50_000 });
    const { app, said } = first;
    fillTemplates(app, 30_000);
    await said.schedule();
    await count(app);
    expect(first.record().estimate?.items).toBe(30_012);
    expect(await said.rollback()).toBe('200 rolled-back');
    const [, ...others] = app.datasets.read('us', 'templates', TENANT);
    app.datasets.remove('us', 'templates', ...others);
    const next = move(app, { id: '2' });
    const facts = window(app, 80);
    expect(await next.said.schedule('us', facts)).toBe('200 scheduled');
    await app.measurements.write('us', TENANT, sizeOf(app, 30_000));
    const asked = { id: '2', facts: { ...next.facts, ...facts } };
    expect(await app.realm('us').migrations.start(app.caller(), asked)).toEqual({
      status: 'copying',
    });
  });

  test.each<[string, number, string]>([
    ['young', 0, '400 E9999'],
    ['old', 2 * HOUR, '200 scheduled'],
  ])(
    'is refused by a %s count of a tenant that is too large for a hook to count: %s',
    async (_, age, answer) => {
      const { slow, ...options } = slowCounts();
      const migration = await moved('no record', options);
      await migration.app.measurements.write('us', TENANT, sizeOf(migration.app, TOO_MANY, age));
      slow();
      expect(await migration.said.schedule()).toBe(answer);
    },
  );

  test('is refused by so much of a count as a hook has time for, if that is too much already', async () => {
    const { slow, ...options } = slowCounts();
    const migration = await moved('no record', { ...options, pageItems: 20_000 });
    const { app, said } = migration;
    fillTemplates(app, 30_000);
    await app.measurements.write('us', TENANT, sizeOf(app, 30_000, 3 * DAY));
    slow();
    expect(await said.schedule('us', window(app, 80))).toBe('400 E9999');
    // An unfinished count is no measurement.
    const known = await app.measurements.read('us', TENANT);
    expect(known?.ranges['templates/00']?.items).toBe(30_000);
  });

  test('is not refused where the tenant cannot be counted at this moment and the count is old', async () => {
    let isDown = false;
    const migration = await moved('no record', {
      hooks: {
        step: async ({ name }) => {
          if (name === 'size' && isDown) throw new Fault('the table does not answer');
        },
      },
    });
    const { app, said } = migration;
    await app.measurements.write('us', TENANT, sizeOf(app, TOO_MANY, 2 * HOUR));
    isDown = true;
    expect(await said.schedule()).toBe('200 scheduled');
  });

  test.each<[string, number, number]>([
    ['small', 6_000_000, 0],
    ['counted long ago', TOO_MANY, 31 * DAY],
  ])('is none for a tenant that is %s', async (_, items, age) => {
    const { slow, ...options } = slowCounts();
    const migration = await moved('no record', options);
    await migration.app.measurements.write('us', TENANT, sizeOf(migration.app, items, age));
    slow();
    expect(await migration.said.schedule()).toBe('200 scheduled');
  });

  test('is known from the move by which the tenant came', async () => {
    const { slow, ...options } = slowCounts();
    const first = await moved('committed', options);
    const { app } = first;
    const receipt = app.receipts.peek('de', TENANT, first.id);
    expect(receipt?.checksums['templates']?.items).toBe(4);
    const seal = { ...receipt?.checksums['templates'], items: TOO_MANY, bytes: TOO_MANY * 1024 };
    const at = new Date(app.clock.now()).toISOString();
    const next = { ...receipt, at, checksums: { ...receipt?.checksums, templates: seal } };
    await app.receipts.write('de', Object(next));
    slow();
    expect(await move(app, { id: '2', source: 'de', location: 'US' }).said.schedule()).toBe(
      '400 E9999',
    );
  });

  test('is refused at the start when the size became known later; it stays scheduled, the tenant is not fenced, and it can be rolled back', async () => {
    const { slow, ...options } = slowCounts();
    const migration = await moved('scheduled', options);
    const { app, said } = migration;
    app.clock.advanceTo(Date.parse(migration.facts.startTime) - MINUTE);
    await app.measurements.write('us', TENANT, sizeOf(app, TOO_MANY));
    await count(app);
    expect(app.log.alarms().join()).toContain('cannot be done in its window: 8000000 items');
    app.clock.advanceTo(Date.parse(migration.facts.startTime));
    slow();
    expect(await said.start()).toBe('409 E9999');
    expect(await said.start()).toBe('409 E9999');
    expect(await said.status()).toBe('200 scheduled');
    expect(situation(app)).toMatchObject({ us: { state: 'active' } });
    expect(app.workflows.runs()).toEqual([]);
    expect(await said.rollback()).toBe('200 rolled-back');
  });

  test('that is refused only because the start came late', async () => {
    const { slow, ...options } = slowCounts();
    const migration = await moved('scheduled', options);
    const { app, said, facts } = migration;
    app.clock.advanceTo(Date.parse(facts.startTime) + HOUR);
    await app.measurements.write('us', TENANT, sizeOf(app, 5_000_000));
    slow();
    expect(await said.start()).toBe('409 E9999');
  });
});

/**
 * A copy of something more than a hundred items that has begun, and whose worker stops after
 * `items`.
 */
async function halfway(items: number): Promise<Move> {
  const migration = await moved('scheduled', { pageItems: 1 });
  const { app, said, facts } = migration;
  for (let number = 0; number < 100; number += 1)
    app.datasets.put('us', 'templates', itemOf(TENANT, `more-${number}`));
  await count(app);
  app.clock.advanceTo(Date.parse(facts.startTime));
  await said.start();
  await app.rangeRecords.put('de', migration.key, {
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
      digest: { items, bytes: 1, sum: 0n, lasting: { count: 0, sum: 0n } },
    },
  });
  return migration;
}

describe('a copy that turns out to be too slow', () => {
  test('is measured from its tenth minute on, by the minutes that it is expected to come too late', async () => {
    const { app, facts, record } = await halfway(11);
    const minutes = () => app.metrics.values('MinutesBeyondWindow');
    app.clock.advance(10 * MINUTE); // the source drains for one of them
    await app.realm('us').janitor();
    expect(minutes()).toEqual([]);
    app.clock.advance(MINUTE);
    await app.realm('us').janitor();
    const late = Date.parse(record().projection?.endsAt ?? '') - Date.parse(facts.endTime);
    expect(minutes()).toEqual([late / MINUTE]);
    expect(late).toBeGreaterThan(MINUTE);
  });

  test('is measured as nought while it is expected to be in time', async () => {
    const { app, record } = await halfway(100);
    app.clock.advance(11 * MINUTE);
    await app.realm('us').janitor();
    expect(record().projection?.beyond).toBe(0);
    expect(app.metrics.values('MinutesBeyondWindow')).toEqual([0]);
  });

  test('is given up by the janitor when three looks in a row and a count behind the fence say so', async () => {
    const { app, said, record, facts } = await halfway(11);
    app.clock.advance(21 * MINUTE);
    const statuses: string[] = [];
    for (let look = 0; look < 3; look += 1) {
      await app.realm('us').janitor();
      statuses.push(record().status);
      expect(Date.parse(record().projection?.endsAt ?? '')).toBeGreaterThan(
        Date.parse(facts.endTime),
      );
      app.clock.advance(5 * MINUTE);
    }
    // A size that was counted before the fence may be outdated: it is counted again, and then the
    // copy is given up.
    expect(statuses).toEqual(['copying', 'copying', 'copying']);
    await count(app);
    expect(Date.parse(record().estimate?.at ?? '')).toBeGreaterThan(Date.parse(facts.startTime));
    await app.realm('us').janitor();
    expect(record().status).toBe('failed');
    expect(await said.status()).toBe('200 failed E9999');
    expect(record().error?.reason).toContain('after its window');
    expect(situation(app)).toMatchObject({ us: { state: 'active' } });
  });

  test('is not given up for items that were deleted before it began', async () => {
    const { app, record } = await halfway(11);
    for (let number = 0; number < 100; number += 1)
      app.datasets.remove('us', 'templates', itemOf(TENANT, `more-${number}`));
    app.clock.advance(21 * MINUTE);
    for (let look = 0; look < 4; look += 1) {
      await app.realm('us').janitor();
      app.clock.advance(MINUTE);
    }
    expect(record().projection?.beyond).toBe(4);
    await count(app);
    await app.realm('us').janitor();
    expect(record()).toMatchObject({ status: 'copying', projection: { beyond: 0 } });
  });
});

/** Rules 16 to 19, on copying ahead of the window: each by what goes wrong without it. */

import { describe, expect, test } from 'vitest';
import type { Item } from '../../lambdas/adapters/dataset/item-key.ts';
import { itemOf, TENANT, tenantRecord } from '../support/builders.ts';
import { HOUR, MINUTE, SECOND } from '../support/clock.ts';
import type { MemoryApp, MemoryAppOptions } from '../support/memory-app.ts';
import { inputOf } from '../support/memory-workflow.ts';
import { gateAt, type Move, move, tenantInUs } from '../support/moves.ts';

const COPY_AHEAD = { hoursBefore: 24, above: '1 second' };

/**
 * A scheduled move of a tenant in `us`; with `isMarked`, its phase ahead has been started and not
 * run.
 */
async function scheduled(options: MemoryAppOptions = {}): Promise<Move> {
  const migration = move(tenantInUs({ copyAhead: COPY_AHEAD, ...options }));
  await migration.driveTo('scheduled');
  return migration;
}

async function begun(options: MemoryAppOptions = {}): Promise<Move> {
  const migration = await scheduled(options);
  await beginAhead(migration);
  return migration;
}

/** As an operator begins it. */
const beginAhead = ({ app, key }: Move) =>
  app.realm('us').operate({ verb: 'ahead', ...key, id: key.id, actor: 'ada' });

async function copiedAhead(options: MemoryAppOptions = {}): Promise<Move> {
  const migration = await begun(options);
  await migration.app.runAll();
  expect(migration.record().ahead?.finishedAt).toBeDefined();
  return migration;
}

const stateIn = (app: MemoryApp, realm: string) => app.tenants.peek(realm, TENANT)?.state;
const itemsIn = (app: MemoryApp, realm: string) => app.holdings(realm, TENANT);
/** What of the tenant is to be in the target: the parts that move. */
const movedOf = (app: MemoryApp, realm: string) =>
  Object.fromEntries(Object.entries(itemsIn(app, realm)).filter(([part]) => part !== 'previews'));

/** Its window begins, and the target is made equal to what is in the source now. */
async function madeEqual({ app, facts, said }: Move): Promise<void> {
  const before = movedOf(app, 'us');
  app.clock.advanceTo(Date.parse(facts.startTime));
  expect(await said.start()).toBe('200 copying');
  await app.runAll();
  expect(await said.status()).toBe('200 ready-to-commit');
  expect(movedOf(app, 'de')).toEqual(before);
}

describe('a tenant that is copied ahead', () => {
  test('serves in the source, and is in the target before its window begins', async () => {
    const { app, record } = await copiedAhead();
    expect(record()).toMatchObject({ status: 'scheduled', ahead: { items: expect.any(Number) } });
    expect(record().phase).toBeUndefined();
    expect(stateIn(app, 'us')).toBe('active');
    expect(stateIn(app, 'de')).toBe('standby');
    expect(movedOf(app, 'de')).toEqual(movedOf(app, 'us'));
  });

  test('arrives with what was written, changed and deleted since', async () => {
    const migration = await copiedAhead();
    const { app, facts, said } = migration;
    app.datasets.put('us', 'templates', itemOf(TENANT, 'new', 'written after'));
    app.datasets.put('us', 'templates', itemOf(TENANT, 'templates-0-0', 'changed after'));
    app.datasets.remove('us', 'templates', itemOf(TENANT, 'templates-0-1', ''));
    const before = movedOf(app, 'us');
    await madeEqual(migration);
    app.clock.advanceTo(Date.parse(facts.endTime) + SECOND);
    expect(await said.commit()).toBe('200 committing');
    await app.runAll();
    expect(await said.status()).toBe('200 committed');
    expect(movedOf(app, 'de')).toEqual(before);
    expect(itemsIn(app, 'us')).toEqual({});
    expect(app.receipts.peek('us', TENANT, '57500')?.ahead).toMatchObject({
      begunAt: expect.any(String),
      finishedAt: expect.any(String),
    });
  });

  test('is begun by the janitor, when its size is known to be worth it, and once', async () => {
    const migration = await scheduled({ copyAhead: { hoursBefore: 2, above: '1 second' } });
    const { app, record, key } = migration;
    await app.realm('us').janitor();
    expect(record().ahead).toBeUndefined();
    const estimate = { at: new Date(app.clock.now()).toISOString(), items: 9, bytes: 9 };
    await app.ports.migrations.change(key, 'measure', (current) =>
      current ? { ...current, estimate: { ...estimate, seconds: 600, limit: 'cpu' } } : undefined,
    );
    await app.realm('us').janitor();
    expect(record()).toMatchObject({ phase: 'ahead', attempt: 1, status: 'scheduled' });
    await app.runAll();
    await app.realm('us').janitor();
    expect(record()).toMatchObject({ attempt: 1, ahead: { finishedAt: expect.any(String) } });
  });

  test('is left alone by the janitor where nothing is declared, or it is not worth it', async () => {
    for (const copyAhead of [undefined, { hoursBefore: 24, above: '1 hour' }]) {
      const { app, record, key } = await scheduled({ copyAhead });
      await app.ports.migrations.change(key, 'measure', (current) =>
        current
          ? { ...current, estimate: { at: '', items: 9, bytes: 9, seconds: 600, limit: 'cpu' } }
          : undefined,
      );
      await app.realm('us').janitor();
      expect(record().ahead).toBeUndefined();
    }
  });
});

describe('a phase ahead that fails', () => {
  test('is tried three times, alarms from the second on, and is then left to the move', async () => {
    const { app, record, said, facts } = await begun();
    const alarms = () =>
      app.log.lines.filter(({ message }) => message.startsWith('alarm: phase ahead')).length;
    for (const [attempt, alarmed] of [
      [1, 0],
      [2, 1],
      [3, 2],
    ] as const) {
      expect(record()).toMatchObject({ status: 'scheduled', phase: 'ahead', attempt });
      const [run] = app.workflows.running();
      if (run === undefined) throw new Error('nothing is copied ahead');
      app.workflows.close(run, 'failed');
      await app.realm('de').settle(inputOf(run), 'FAILED');
      expect(alarms()).toBe(alarmed);
      expect(app.metrics.values('AheadFailures')).toHaveLength(alarmed);
    }
    expect(app.metrics.values('Alarms')).toHaveLength(2);
    expect(record()).toMatchObject({
      status: 'scheduled',
      ahead: { stopped: 'the phase ended as FAILED' },
    });
    expect(record().phase).toBeUndefined();
    app.clock.advanceTo(Date.parse(facts.startTime));
    await said.start();
    await app.runAll();
    expect(await said.status()).toBe('200 ready-to-commit');
  });

  test('counts what it copies apart from what is copied behind the fence', async () => {
    const { app } = await copiedAhead();
    expect(app.metrics.values('CopiedItems')).toEqual([]);
    const items = app.metrics.values('CopiedAheadItems').reduce((sum, value) => sum + value, 0);
    expect(items).toBe(Object.values(movedOf(app, 'de')).flat().length);
  });
});

describe('rule 16: mark, then claim', () => {
  test('a schedule that was cancelled is neither marked nor claimed', async () => {
    const migration = await scheduled();
    await migration.said.rollback();
    expect(await beginAhead(migration)).toMatchObject({ outcome: 'refused' });
    await migration.app.runAll();
    expect(stateIn(migration.app, 'de')).toBeUndefined();
  });

  test('a claim that cannot be had ends the phase quietly, and the move says what is wrong', async () => {
    const migration = await scheduled();
    const { app, record, facts, said } = migration;
    app.tenants.set('de', { ...tenantRecord(), state: 'active' });
    await beginAhead(migration);
    await app.runAll();
    expect(record()).toMatchObject({ status: 'scheduled', ahead: { stopped: expect.any(String) } });
    expect(app.log.lines.filter(({ message }) => message.startsWith('alarm:'))).toEqual([]);
    app.clock.advanceTo(Date.parse(facts.startTime));
    expect(await said.start()).toBe('200 copying');
    await app.runAll();
    expect(await said.status()).toBe('200 failed E9999');
    expect(stateIn(app, 'de')).toBe('active');
  });

  test('a worker that takes its lease after the cancellation does not claim', async () => {
    const gate = gateAt(({ port, access }) => port === 'rangeRecords' && access === 'write');
    const migration = await begun({ hooks: gate.hooks });
    const { app, said } = migration;
    const [ahead] = app.workflows.running();
    if (ahead === undefined) throw new Error('nothing is copied ahead');
    gate.arm();
    const late = app.runWorkflow(ahead, { tries: 1 });
    await gate.reached;
    expect(await said.rollback()).toBe('200 rolling-back');
    const [undoing] = app.workflows.running().filter(({ phase }) => phase === 'rollback');
    if (undoing === undefined) throw new Error('nothing is undone');
    await app.runWorkflow(undoing);
    expect(await said.status()).toBe('200 rolled-back');
    gate.open();
    await late;
    expect(stateIn(app, 'de')).toBeUndefined();
  });

  test('a worker that comes to life when the schedule was cancelled writes nothing more', async () => {
    const gate = gateAt(({ port, name }) => port === 'partKind' && name === 'copy');
    const migration = await begun({ hooks: gate.hooks });
    const { app, said } = migration;
    gate.arm();
    const ahead = app.runAll({ tries: 1 });
    await gate.reached;
    expect(await said.rollback()).toBe('200 rolling-back');
    gate.open();
    await ahead;
    await app.runAll();
    expect(await said.status()).toBe('200 rolled-back');
    expect(itemsIn(app, 'de')).toEqual({});
    expect(stateIn(app, 'de')).toBeUndefined();
  });
});

describe('rule 17: a marked schedule is undone through rolling-back', () => {
  const cancels: readonly (readonly [string, (migration: Move) => Promise<unknown>])[] = [
    ['its rollback', ({ said }) => said.rollback()],
    [
      'an operator',
      ({ app, key }) => app.realm('us').operate({ verb: 'cancel', ...key, actor: 'ada' }),
    ],
    [
      'an uninstallation',
      ({ app }) => app.realm('us').lifecycle.uninstalled(TENANT, app.clock.now() / 1000 + 1),
    ],
    [
      'the end of its window',
      async ({ app, facts }) => {
        app.clock.advanceTo(Date.parse(facts.endTime) + HOUR);
        await app.realm('us').janitor();
      },
    ],
    [
      'a start after its window',
      async ({ app, facts, said }) => {
        app.clock.advanceTo(Date.parse(facts.endTime) + SECOND);
        expect(await said.start()).toBe('409 E0001');
      },
    ],
    [
      'a later schedule',
      async ({ app }) => {
        app.clock.advance(MINUTE);
        expect(await move(app, { id: '57501' }).said.schedule()).toBe('200 scheduled');
      },
    ],
  ];
  for (const [what, cancel] of cancels) {
    test(`by ${what}: nothing is left in the target, and the source was never fenced`, async () => {
      const migration = await copiedAhead();
      const { app, record } = migration;
      const before = itemsIn(app, 'us');
      await cancel(migration);
      expect(record().status).toBe('rolling-back');
      expect(stateIn(app, 'us')).toBe(what.includes('uninstallation') ? 'retired' : 'active');
      await app.runAll();
      expect(record().status).toBe('rolled-back');
      expect(itemsIn(app, 'de')).toEqual({});
      expect(stateIn(app, 'de')).toBeUndefined();
      expect(itemsIn(app, 'us')).toEqual(before);
    });
  }

  test('also when the mark comes between the look at the record and the write', async () => {
    const gate = gateAt(({ port, name }) => port === 'migrations' && name === 'change');
    const migration = await scheduled({ hooks: gate.hooks });
    const { app, said } = migration;
    gate.arm();
    const undone = said.rollback();
    await gate.reached;
    await beginAhead(migration);
    await app.runAll();
    gate.open();
    expect(await undone).toBe('200 rolling-back');
    await app.runAll();
    expect(await said.rollback()).toBe('200 rolled-back');
    expect(itemsIn(app, 'de')).toEqual({});
  });

  test('a schedule without the mark ends at once, as ever', async () => {
    const { said, app } = await scheduled();
    expect(await said.rollback()).toBe('200 rolled-back');
    expect(stateIn(app, 'de')).toBeUndefined();
  });
});

describe('rule 18: behind the fence the target is made equal', () => {
  test('also where the phase was in the middle when the move began', async () => {
    const gate = gateAt(
      ({ port, name, detail }) =>
        port === 'partKind' && name === 'copy' && !detail?.includes('templates'),
    );
    const migration = await begun({ hooks: gate.hooks });
    const { app, facts, said } = migration;
    gate.arm();
    const ahead = app.runAll({ tries: 1 });
    await gate.reached;
    app.datasets.remove('us', 'templates', itemOf(TENANT, 'templates-0-0', ''));
    const before = movedOf(app, 'us');
    app.clock.advanceTo(Date.parse(facts.startTime));
    expect(await said.start()).toBe('200 copying');
    gate.open();
    await ahead;
    await app.runAll();
    expect(await said.status()).toBe('200 ready-to-commit');
    expect(movedOf(app, 'de')).toEqual(before);
  });

  test('also where an eventually consistent read misses a change: the verification finds it', async () => {
    const isStale = (item: Item) =>
      ['templates-0-0', 'templates-0-1'].includes(item['id']?.S ?? '');
    const migration = await copiedAhead({ isStale });
    const { app } = migration;
    app.datasets.put('us', 'templates', itemOf(TENANT, 'templates-0-0', 'changed after'));
    app.datasets.remove('us', 'templates', itemOf(TENANT, 'templates-0-1', ''));
    await madeEqual(migration);
    const found = app.log.lines.filter(({ message }) =>
      message.includes('is not the same in both'),
    );
    expect(found).toHaveLength(1);
  });

  test('a rollback of the started move discards what was copied ahead', async () => {
    const { app, facts, said } = await copiedAhead();
    const before = itemsIn(app, 'us');
    app.clock.advanceTo(Date.parse(facts.startTime));
    await said.start();
    expect(await said.rollback()).toBe('200 rolling-back');
    await app.runAll();
    expect(await said.status()).toBe('200 rolled-back');
    expect(itemsIn(app, 'us')).toEqual(before);
    expect(itemsIn(app, 'de')).toEqual({});
    expect(stateIn(app, 'us')).toBe('active');
  });
});

describe('rule 19: such a rollback stands in nobody’s way', () => {
  test('a next schedule is accepted meanwhile, and its move waits for the target', async () => {
    const first = await copiedAhead();
    const { app, said } = first;
    expect(await said.rollback()).toBe('200 rolling-back');
    app.clock.advance(MINUTE);
    const second = move(app, { id: '57501' });
    expect(await second.said.schedule()).toBe('200 scheduled');
    app.clock.advanceTo(Date.parse(second.facts.startTime));
    expect(await second.said.start()).toBe('200 copying');
    const before = movedOf(app, 'us');
    const [undoing, copying] = app.workflows.running();
    if (undoing === undefined || copying === undefined) throw new Error('two executions run');
    const waits: number[] = [];
    await app.runWorkflow(copying, {
      async wait(milliseconds) {
        app.clock.advance(milliseconds);
        waits.push(milliseconds);
        if (waits.length === 1) await app.runWorkflow(undoing);
      },
    });
    expect(waits[0]).toBe(20 * SECOND);
    expect(first.record().status).toBe('rolled-back');
    expect(await second.said.status()).toBe('200 ready-to-commit');
    expect(movedOf(app, 'de')).toEqual(before);
  });

  test('to another realm it does not even wait', async () => {
    const first = await copiedAhead();
    const { app } = first;
    await first.said.rollback();
    app.clock.advance(MINUTE);
    const second = move(app, { id: '57501', location: 'EU' });
    expect(await second.said.schedule()).toBe('200 scheduled');
    app.clock.advanceTo(Date.parse(second.facts.startTime));
    await second.said.start();
    await app.runAll();
    expect(await second.said.status()).toBe('200 ready-to-commit');
    expect(itemsIn(app, 'de')).toEqual({});
  });
});

describe('an operator', () => {
  test('stops it, and begins it again from where it was', async () => {
    const migration = await begun();
    const { app, key, record } = migration;
    const ask = (verb: string) => app.realm('us').operate({ verb, ...key, actor: 'ada' });
    expect(await ask('stop-ahead')).toMatchObject({ outcome: 'stopped' });
    await app.runAll();
    expect(record()).toMatchObject({ status: 'scheduled', ahead: { stopped: expect.any(String) } });
    expect(stateIn(app, 'de')).toBeUndefined();
    expect(await ask('stop-ahead')).toMatchObject({ outcome: 'left-alone' });
    expect(await ask('ahead')).toMatchObject({ outcome: 'begun' });
    expect(await ask('ahead')).toMatchObject({ outcome: 'left-alone' });
    await app.runAll();
    expect(record().ahead).toMatchObject({ finishedAt: expect.any(String) });
    expect(await ask('ahead')).toMatchObject({ outcome: 'refused' });
  });
});

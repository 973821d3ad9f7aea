/**
 * Answers beside the table of answers: other facts, other ids, refused schedules, hooks without an
 * id, no-op moves.
 */
import { describe, expect, test } from 'vitest';
import type { ScheduleRequest } from '../../lambdas/domain/requests.ts';
import { factsFrom, TENANT, tenantRecord } from '../support/builders.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../support/clock.ts';
import type { MemoryApp } from '../support/memory-app.ts';
import { answerOf, type Move, move, type Row, situation, tenantInUs } from '../support/moves.ts';

const later = (iso: string, milliseconds: number): string =>
  new Date(Date.parse(iso) + milliseconds).toISOString();

async function moved(row: Row, app: MemoryApp = tenantInUs()): Promise<Move> {
  const migration = move(app);
  await migration.driveTo(row);
  return migration;
}

const scheduleAt = (app: MemoryApp, request: ScheduleRequest, at = 'us', tenant: string = TENANT) =>
  answerOf(app.realm(at).migrations.schedule(app.caller(tenant), request));

describe('a schedule with an id that is known', () => {
  test.each<[string, (facts: Move['facts']) => Partial<ScheduleRequest>]>([
    ['location', () => ({ location: 'EU' })],
    ['start of the window', ({ startTime }) => ({ startTime: later(startTime, MINUTE) })],
    ['end of the window', ({ endTime }) => ({ endTime: later(endTime, -MINUTE) })],
  ])('is refused when it says another %s', async (_, change) => {
    const migration = await moved('scheduled');
    expect(await migration.said.schedule('us', change(migration.facts))).toBe('409 E9999');
    expect(migration.record()).toMatchObject({ status: 'scheduled', target: 'de' });
  });

  test.each<Row>(['copying', 'ready-to-commit', 'committed'])(
    'is refused with other facts also when it is %s',
    async (row) => {
      const migration = await moved(row);
      expect(await migration.said.schedule('us', { location: 'EU' })).toBe('409 E9999');
      expect(migration.record().status).toBe(row);
    },
  );

  test('is the same whatever the case of its location and the precision of its times', async () => {
    const migration = await moved('scheduled');
    const { startTime, endTime } = migration.facts;
    const written = {
      location: 'de',
      startTime: startTime.replace('.000Z', 'Z'),
      endTime: endTime.replace('Z', '+00:00'),
    };
    expect(await migration.said.schedule('us', written)).toBe('200 scheduled');
  });

  test('is answered when its window is over meanwhile', async () => {
    const migration = await moved('committed');
    migration.app.clock.advance(10 * DAY);
    expect(await migration.said.schedule()).toBe('200 committed');
  });
});

describe('a start', () => {
  test.each<[string, (facts: Move['facts']) => Partial<Move['facts']>]>([
    ['location', () => ({ location: 'EU' })],
    ['start of the window', ({ startTime }) => ({ startTime: later(startTime, MINUTE) })],
    ['end of the window', ({ endTime }) => ({ endTime: later(endTime, MINUTE) })],
  ])('is refused when it says another %s than the schedule', async (_, change) => {
    const { app, id, facts, record } = await moved('scheduled');
    const said = { id, facts: { ...facts, ...change(facts) } };
    expect(await answerOf(app.realm('us').migrations.start(app.caller(), said))).toBe('409 E0001');
    expect(record().status).toBe('scheduled');
    expect(app.tenants.peek('us', TENANT)?.state).toBe('active');
  });

  test('that comes after its window ends as if it had not been scheduled', async () => {
    const migration = await moved('scheduled');
    migration.app.clock.advanceTo(Date.parse(migration.facts.endTime) + SECOND);
    expect(await migration.said.start()).toBe('409 E0001');
    expect(migration.record().status).toBe('rolled-back');
    expect(await migration.app.slots.list('us')).toEqual([]);
  });

  test('of an id that was superseded is refused, and fences no tenant', async () => {
    const app = tenantInUs();
    const [first, second] = [move(app, { id: '1' }), move(app, { id: '2' })];
    await first.said.schedule();
    app.clock.advance(SECOND);
    await second.said.schedule();
    expect(await first.said.start()).toBe('409 E0001');
    expect(app.tenants.peek('us', TENANT)?.state).toBe('active');
    expect(await second.said.start()).toBe('200 copying');
  });

  test('fails with E0004 where another migration holds the fence, and its rollback leaves that fence alone', async () => {
    const migration = await moved('scheduled');
    const { tenants } = migration.app;
    tenants.set('us', tenantRecord({ state: 'frozen', migration: 'other', ledger: 'us' }));
    expect(await migration.said.start()).toBe('409 E0004');
    expect(await migration.said.start()).toBe('409 E0004');
    expect(await migration.said.schedule()).toBe('409 E0004');
    expect(await migration.said.commit()).toBe('409 E0004');
    expect(await migration.said.status()).toBe('200 failed E0004');
    expect(await migration.said.rollback()).toBe('200 rolling-back');
    await migration.app.runAll();
    expect(await migration.said.status()).toBe('200 rolled-back');
    expect(tenants.peek('us', TENANT)).toMatchObject({ state: 'frozen', migration: 'other' });
  });
});

describe('a commit', () => {
  test('with other facts than the schedule is refused', async () => {
    const { app, id, facts, record } = await moved('ready-to-commit');
    const said = { id, facts: { ...facts, location: 'EU' } };
    expect(await answerOf(app.realm('us').migrations.commit(app.caller(), said))).toBe('409 E9999');
    expect(record().status).toBe('ready-to-commit');
  });

  test('is never too late by the clock', async () => {
    const migration = await moved('ready-to-commit');
    migration.app.clock.advanceTo(Date.parse(migration.facts.endTime) + 3 * HOUR);
    expect(await migration.said.commit()).toBe('200 committing');
  });
});

describe('another id of the same tenant', () => {
  test('supersedes one that is only scheduled, and takes over its window', async () => {
    const app = tenantInUs();
    const [first, second] = [move(app, { id: '1' }), move(app, { id: '2', location: 'EU' })];
    await first.said.schedule();
    app.clock.advance(SECOND);
    expect(await second.said.schedule()).toBe('200 scheduled');
    expect(first.record()).toMatchObject({
      status: 'rolled-back',
      error: { reason: 'superseded by migration 2' },
    });
    expect((await app.slots.list('us')).map(({ id }) => id)).toEqual(['2']);
    expect(app.tenants.peek('us', TENANT)?.released).toEqual(['1']);
    expect(await first.said.schedule()).toBe('409 E9999');
  });

  test('and its rival, arriving at the same instant: one of them stands', async () => {
    const app = tenantInUs();
    const rivals = [move(app, { id: '1' }), move(app, { id: '2' })];
    const answers = await Promise.all(rivals.map(({ said }) => said.schedule()));
    expect(answers.toSorted()).toEqual(['200 scheduled', '409 E9999']);
    const statuses = rivals.map(({ record }) => record().status);
    expect(statuses.toSorted()).toEqual(['rolled-back', 'scheduled']);
    expect(await app.slots.list('us')).toHaveLength(1);
  });

  test.each<Row>(['copying', 'ready-to-commit', 'committing', 'failed', 'rolling-back'])(
    'is refused with E0004 while one is %s',
    async (row) => {
      const migration = await moved(row);
      const other = move(migration.app, { id: '2' });
      expect(await other.said.schedule()).toBe('409 E0004');
      expect(migration.record().status).toBe(row);
      expect(migration.app.migrations.peek(other.key)).toBeUndefined();
    },
  );

  test('is refused with E0004 in the target until the migration that brought the tenant is committed', async () => {
    const { app, ...first } = await moved('committing');
    const back = move(app, { id: '2', source: 'de', location: 'US' });
    expect(await back.said.schedule()).toBe('409 E0004');
    await app.runAll();
    expect(first.record().status).toBe('committed');
    expect(await back.said.schedule()).toBe('200 scheduled');
  });

  test('is refused in a realm that the tenant has left', async () => {
    const { app } = await moved('committed');
    expect(await move(app, { id: '2', location: 'EU' }).said.schedule()).toBe('409 E9999');
  });

  test('is welcome after a rollback', async () => {
    const { app } = await moved('rolled-back');
    const second = move(app, { id: '2' });
    await second.driveTo('committed');
    expect(situation(app)).toMatchObject({
      us: { state: 'moved', items: {} },
      de: { state: 'active' },
    });
  });

  test('of another tenant is none of its business', async () => {
    const { app, record } = await moved('copying');
    app.tenants.set('us', tenantRecord({ tenant: 'tenant-10' }));
    expect(await move(app, { id: '57500', tenant: 'tenant-10' }).said.schedule()).toBe(
      '200 scheduled',
    );
    expect(await move(app, { id: '57500', tenant: 'tenant-10' }).said.rollback()).toBe(
      '200 rolled-back',
    );
    expect(record().status).toBe('copying');
  });
});

describe('a schedule is refused', () => {
  test.each(['CA', 'Global', '', 'us-east-1'])(
    'with E0002 for the location "%s"',
    async (location) => {
      const app = tenantInUs();
      expect(await move(app).said.schedule('us', { location })).toBe('400 E0002');
      expect(app.migrations.peekAll('us')).toEqual([]);
    },
  );

  test('with E0002 for a wrong location also where the window is wrong too', async () => {
    const app = tenantInUs();
    const facts = factsFrom(app.clock, { location: 'CA', lasts: -HOUR });
    expect(await scheduleAt(app, { id: '1', ...facts })).toBe('400 E0002');
  });

  test.each([
    ['is reversed', { startsIn: HOUR, lasts: -MINUTE }, '400 E9999'],
    ['is empty', { startsIn: HOUR, lasts: 0 }, '400 E9999'],
    ['is of 24.0001 hours', { startsIn: HOUR, lasts: DAY + 360 }, '200 scheduled'],
    ['is of 25 hours', { startsIn: HOUR, lasts: DAY + HOUR }, '200 scheduled'],
    ['is over', { startsIn: -2 * HOUR, lasts: HOUR }, '400 E9999'],
    ['is of 24 hours', { startsIn: HOUR, lasts: DAY }, '200 scheduled'],
    ['has begun', { startsIn: -HOUR, lasts: 2 * HOUR }, '200 scheduled'],
  ])('or not, when its window %s', async (_, window, answer) => {
    const app = tenantInUs();
    expect(await scheduleAt(app, { id: '1', ...factsFrom(app.clock, window) })).toBe(answer);
  });

  test('with E0004 when as many windows overlap as the realm takes, and accepted when one is free again', async () => {
    const app = tenantInUs({ maxOverlappingMigrations: 2 });
    const tenants = ['tenant-1', 'tenant-2', 'tenant-3'];
    for (const tenant of tenants) app.tenants.set('us', tenantRecord({ tenant }));
    const [one, two, three] = tenants.map((tenant) => move(app, { tenant, id: tenant }));
    expect(await one?.said.schedule()).toBe('200 scheduled');
    expect(await two?.said.schedule()).toBe('200 scheduled');
    expect(await three?.said.schedule()).toBe('409 E0004');
    expect(await two?.said.schedule()).toBe('200 scheduled');
    const elsewhen = factsFrom(app.clock, { startsIn: 3 * HOUR });
    expect(await scheduleAt(app, { id: 'later', ...elsewhen }, 'us', 'tenant-3')).toBe(
      '200 scheduled',
    );
    await one?.said.rollback();
    expect(await three?.said.schedule()).toBe('200 scheduled');
  });

  test.each([
    ['the realm', undefined],
    ['the tenant', TENANT],
  ])('with E0003 while moves are switched off for %s', async (_, tenant) => {
    const app = tenantInUs();
    app.tenants.set('us', tenantRecord({ tenant: 'tenant-2' }));
    app.settings.set('us', { noNewMoves: true }, tenant);
    expect(await move(app).said.schedule()).toBe('409 E0003');
    const other = tenant === undefined ? '409 E0003' : '200 scheduled';
    expect(await move(app, { tenant: 'tenant-2', id: '2' }).said.schedule()).toBe(other);
    app.settings.set('us', { noNewMoves: false }, tenant);
    expect(await move(app).said.schedule()).toBe('200 scheduled');
  });

  test('not with E0003 where the tenant may what the realm may not', async () => {
    const app = tenantInUs();
    app.settings.set('us', { noNewMoves: true });
    app.settings.set('us', { noNewMoves: false }, TENANT);
    expect(await move(app).said.schedule()).toBe('200 scheduled');
  });

  test('not when it is repeated after moves were switched off', async () => {
    const migration = await moved('scheduled');
    migration.app.settings.set('us', { noNewMoves: true });
    expect(await migration.said.schedule()).toBe('200 scheduled');
    expect(await migration.said.start()).toBe('200 copying');
  });

  test('for a tenant that is not installed here', async () => {
    const app = tenantInUs();
    expect(await move(app, { tenant: 'nobody' }).said.schedule()).toBe('409 E9999');
    app.tenants.set('us', tenantRecord({ state: 'retired', uninstalledIat: 2_000 }));
    expect(await move(app).said.schedule()).toBe('409 E9999');
  });
});

describe('an unknown id that is rolled back', () => {
  test('leaves a record with an expiry, that a delayed schedule cannot revive', async () => {
    const migration = await moved('no record');
    const { app } = migration;
    expect(await migration.said.rollback()).toBe('200 rolled-back');
    expect(migration.record().expiresAt).toBe(Math.floor((app.clock.now() + 30 * DAY) / 1000));
    const newer = move(app, { id: 'newer' });
    await newer.said.schedule();
    app.clock.advance(SECOND);
    expect(await migration.said.schedule()).toBe('409 E9999');
    expect(newer.record().status).toBe('scheduled');
    expect(await migration.said.start()).toBe('409 E0001');
    expect(app.tenants.peek('us', TENANT)?.state).toBe('active');
  });
});

describe('a hook that arrives in the target', () => {
  test.each<[Row, string]>([
    ['ready-to-commit', '200 ready-to-commit'],
    ['committing', '200 committing'],
    ['committed', '200 committed'],
  ])('finds a migration that is %s', async (row, answer) => {
    const migration = await moved(row);
    expect(await migration.said.status('de')).toBe(answer);
    expect(await migration.said.start('de')).toBe(answer);
  });

  test('commits, and rolls back', async () => {
    const migration = await moved('ready-to-commit');
    expect(await migration.said.commit('de')).toBe('200 committing');
    await migration.app.runAll();
    expect(await migration.said.rollback('de')).toBe('200 rolling-back');
    await migration.app.runAll();
    expect(situation(migration.app)).toMatchObject({ us: { state: 'active' } });
    expect(situation(migration.app)['de']).toBeUndefined();
  });

  test('finds it by its receipt when the tenant has moved on', async () => {
    const { app, said } = await moved('committed');
    await move(app, { id: '2', source: 'de', location: 'EU' }).driveTo('committed');
    expect(await said.status('de')).toBe('200 committed');
    expect(await said.rollback('de')).toBe('200 committed');
    expect(situation(app)).toMatchObject({
      us: { state: 'moved' },
      de: { state: 'moved' },
      eu: { state: 'active' },
    });
  });
});

describe('a move whose target is its source', () => {
  const cases = [
    { what: 'the same realm', source: 'us', location: 'US' },
    { what: 'a realm of the same stack', source: 'de', location: 'CH' },
  ];
  describe.each(cases)('or $what', ({ source, location }) => {
    function noOp() {
      const app = tenantInUs();
      app.tenants.set(source, tenantRecord());
      app.fill(source);
      return move(app, { source, location });
    }

    test('is ready at once when it starts, and committed at once', async () => {
      const migration = noOp();
      const before = situation(migration.app);
      const { said, app } = migration;
      expect(await said.schedule()).toBe('200 scheduled');
      expect(await said.start()).toBe('200 ready-to-commit');
      expect(await said.start()).toBe('200 ready-to-commit');
      expect(await said.status()).toBe('200 ready-to-commit');
      expect(await said.commit()).toBe('200 committed');
      expect(await said.commit()).toBe('200 committed');
      expect(app.workflows.runs()).toEqual([]);
      expect(await app.slots.list(source)).toEqual([]);
      expect(situation(app)).toEqual(before);
    });

    test.each(['schedule', 'start', 'commit'] as const)(
      'is rolled back at once after %s',
      async (last) => {
        const { said, app } = noOp();
        const before = situation(app);
        await said.schedule();
        if (last !== 'schedule') await said.start();
        if (last === 'commit') await said.commit();
        expect(await said.rollback()).toBe('200 rolled-back');
        expect(await said.rollback()).toBe('200 rolled-back');
        expect(app.workflows.runs()).toEqual([]);
        expect(situation(app)).toEqual(before);
      },
    );
  });
});

describe('hooks without an id', () => {
  const withoutId = (app: MemoryApp, at = 'us') => {
    const { migrations } = app.realm(at);
    const caller = () => app.caller();
    return {
      schedule: (facts: Move['facts']) => answerOf(migrations.schedule(caller(), facts)),
      start: (facts: Move['facts']) => answerOf(migrations.start(caller(), { facts })),
      status: () => answerOf(migrations.status(caller(), {})),
      commit: () => answerOf(migrations.commit(caller(), {})),
      rollback: () => answerOf(migrations.rollback(caller(), {})),
    };
  };

  test('mean the one open migration', async () => {
    const { app, facts } = await moved('scheduled');
    const said = withoutId(app);
    expect(await said.start(facts)).toBe('200 copying');
    await app.runAll();
    expect(await said.status()).toBe('200 ready-to-commit');
    expect(await said.commit()).toBe('200 committing');
    await app.runAll();
    expect(await said.status()).toBe('200 committed');
  });

  test('find nothing where there is nothing', async () => {
    const app = tenantInUs();
    const said = withoutId(app);
    expect(await said.start(factsFrom(app.clock))).toBe('404 E0001');
    expect(await said.status()).toBe('404 E0001');
    expect(await said.commit()).toBe('409 E9999');
    expect(await said.rollback()).toBe('200 rolled-back');
    expect(app.migrations.peekAll('us')).toEqual([]);
  });

  test('drive a whole move, and a second one after a rollback', async () => {
    const app = tenantInUs();
    const said = withoutId(app);
    const facts = factsFrom(app.clock);
    expect(await said.schedule(facts)).toBe('200 scheduled');
    expect(await said.schedule(facts)).toBe('200 scheduled');
    expect(app.migrations.peekAll('us')).toHaveLength(1);
    expect(await said.rollback()).toBe('200 rolled-back');
    app.clock.advance(MINUTE);
    expect(await said.schedule(facts)).toBe('200 scheduled');
    expect(app.migrations.peekAll('us')).toHaveLength(2);
    expect(await said.start(facts)).toBe('200 copying');
  });

  test('do not revive by a delayed repetition what was rolled back meanwhile', async () => {
    const app = tenantInUs();
    const said = withoutId(app);
    const facts = factsFrom(app.clock);
    await said.schedule(facts);
    const delayed = app.caller();
    app.clock.advance(10 * SECOND);
    await said.rollback();
    expect(await answerOf(app.realm('us').migrations.schedule(delayed, facts))).toBe('409 E9999');
    expect(app.migrations.peekAll('us').map(({ status }) => status)).toEqual(['rolled-back']);
  });

  test('drive the next move too, after the tenant has arrived by one without an id', async () => {
    const app = tenantInUs();
    const there = withoutId(app);
    const facts = factsFrom(app.clock);
    await there.schedule(facts);
    await there.start(facts);
    await app.runAll();
    await there.commit();
    await app.runAll();
    expect(await there.status()).toBe('200 committed');
    app.clock.advance(DAY);

    const back = withoutId(app, 'de');
    const factsBack = factsFrom(app.clock, { location: 'US' });
    expect(await back.schedule(factsBack)).toBe('200 scheduled');
    expect(await back.start(factsBack)).toBe('200 copying');
  });
});

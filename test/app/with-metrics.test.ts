/**
 * The app's metrics: each change once, each page once, and what needs an operator again and again.
 */
import { describe, expect, test } from 'vitest';
import { logWithMetrics } from '../../lambdas/app/with-metrics.ts';
import { TENANT } from '../support/builders.ts';
import { HOUR, MINUTE } from '../support/clock.ts';
import { collectedLog } from '../support/log.ts';
import { collectedMetrics } from '../support/metrics.ts';
import { type Move, move, tenantInUs } from '../support/moves.ts';

async function copying(pageItems = 1): Promise<Move> {
  const migration = move(tenantInUs({ pageItems }));
  await migration.driveTo('copying');
  return migration;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe('a change of status', () => {
  test('is counted once, though its hook comes twice at the same time, and again', async () => {
    const { app, said } = move(tenantInUs());
    await Promise.all([said.schedule(), said.schedule()]);
    await said.schedule();
    expect(app.metrics.values('Moves', 'scheduled')).toEqual([1]);
    expect(app.metrics.values('Moves', 'copying')).toEqual([]);
  });

  test('is counted for each step of a whole move, and by the status that was come to', async () => {
    const migration = move(tenantInUs());
    await migration.driveTo('committed');
    const words = measuredBy(migration)
      .all.filter(({ name }) => name === 'Moves')
      .map(({ word }) => word);
    expect(words).toEqual(['scheduled', 'copying', 'ready-to-commit', 'committing', 'committed']);
  });

  test('says how long the window lasts while the site waits, and nothing once it does not', async () => {
    const { app: realms, facts, driveTo } = move(tenantInUs());
    await driveTo('scheduled');
    expect(realms.metrics.values('WindowMinutesLeft')).toEqual([]);
    realms.clock.advanceTo(Date.parse(facts.startTime));
    const whole = (Date.parse(facts.endTime) - Date.parse(facts.startTime)) / MINUTE;
    await realms.realm('us').migrations.start(realms.caller(TENANT), { id: '57500', facts });
    expect(realms.metrics.values('WindowMinutesLeft')).toEqual([whole]);
    await realms.runAll();
    const waiting = realms.metrics.values('WindowMinutesLeft');
    expect(Math.min(...waiting)).toBeGreaterThan(0);
    realms.clock.advanceTo(Date.parse(facts.endTime) + MINUTE);
    await realms.realm('us').migrations.commit(realms.caller(TENANT), { id: '57500' });
    await realms.runAll();
    expect(realms.metrics.values('WindowMinutesLeft')).toEqual(waiting);
  });
});

describe('what is copied', () => {
  test('is counted to the item, whether or not workers die in between', async () => {
    const whole = await copying();
    await whole.app.runAll();
    const items = sum(measuredBy(whole).values('CopiedItems'));
    const { previews: _, ...moving } = whole.app.holdings('de');
    expect(items).toBe(Object.values(moving).flat().length);

    const broken = await copying();
    let calls = 0;
    await broken.app.runAll({
      invoke: async (task, call) => {
        calls += 1;
        if (task === 'copyRange' && calls % 2 === 0) throw new Error('the invocation has died');
        await call();
        if (task === 'copyRange' && calls % 3 === 0) throw new Error('its answer is lost');
      },
    });
    expect(broken.record().status).toBe('ready-to-commit');
    expect(sum(measuredBy(broken).values('CopiedItems'))).toBe(items);
    expect(sum(measuredBy(broken).values('CopiedBytes'))).toBe(
      sum(measuredBy(whole).values('CopiedBytes')),
    );
  });
});

describe('a migration that is stuck', () => {
  test('is said to be so at each run of the janitor, until it is not', async () => {
    const migration = move(tenantInUs());
    await migration.driveTo('committing');
    const { app: realms } = migration;
    const janitor = () => realms.realm('us').janitor();
    await janitor();
    expect(realms.metrics.values('StuckMigrations')).toEqual([]);
    realms.clock.advance(9 * HOUR);
    await janitor();
    expect(realms.metrics.values('StuckMigrations')).toEqual([1]);
    await realms.runAll();
    expect(migration.record().status).toBe('committed');
    await janitor();
    expect(realms.metrics.values('StuckMigrations')).toEqual([1]);
  });
});

describe('a line of the log that calls for an operator', () => {
  test('is counted, at whatever level, and is written as it is; no other line is', () => {
    const log = collectedLog();
    const metrics = collectedMetrics();
    const { info, warn, error } = logWithMetrics(log, metrics);
    info('no alarm: all is well', { migrationId: '57500' });
    expect(metrics.all).toEqual([]);
    error('alarm: migration 57500 is halted', { migrationId: '57500' });
    warn('alarm: twice');
    expect(metrics.all).toEqual([
      { name: 'Alarms', value: 1, word: undefined },
      { name: 'Alarms', value: 1, word: undefined },
    ]);
    expect(log.lines).toEqual([
      {
        level: 'info',
        message: 'no alarm: all is well',
        fields: { migrationId: '57500' },
      },
      {
        level: 'error',
        message: 'alarm: migration 57500 is halted',
        fields: { migrationId: '57500' },
      },
      { level: 'warn', message: 'alarm: twice', fields: {} },
    ]);
  });
});

const measuredBy = ({ app: { metrics } }: Move) => metrics;

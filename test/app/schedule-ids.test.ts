/**
 * Schedules without an id (Connect may send such hooks): which number each gets, and which is a
 * repetition.
 */
import { describe, expect, test } from 'vitest';
import { TENANT } from '../support/builders.ts';
import { DAY, HOUR, SECOND } from '../support/clock.ts';
import type { MemoryApp } from '../support/memory-app.ts';
import { answerOf, tenantInUs } from '../support/moves.ts';

/** Hooks without an id, as Atlassian sends them; each window is another hour. */
function withoutIds(app: MemoryApp) {
  const { migrations } = app.realm('us');
  let windows = 0;
  const window = (location = 'DE') => {
    windows += 1;
    const startTime = new Date(app.clock.now() + windows * HOUR).toISOString();
    const endTime = new Date(app.clock.now() + (windows + 1) * HOUR).toISOString();
    return { location, startTime, endTime };
  };
  return {
    window,
    schedule: (facts: ReturnType<typeof window>) =>
      answerOf(migrations.schedule(app.caller(), facts)),
    rollback: () => answerOf(migrations.rollback(app.caller(), {})),
    known: async () =>
      (await app.migrations.list('us', TENANT)).map(({ id, status }) => `${id} ${status}`).sort(),
  };
}

/** DynamoDB removes expired items. */
const expired = (app: MemoryApp) => app.migrations.sweep(app.clock.now());

describe('a schedule without an id', () => {
  test('has the highest number and one more, so that it stays possible after a tombstone has expired', async () => {
    const app = tenantInUs();
    const { window, schedule, rollback, known } = withoutIds(app);
    expect(await schedule(window())).toBe('200 scheduled');
    expect(await rollback()).toBe('200 rolled-back');
    app.clock.advance(SECOND);
    const over = {
      location: 'DE',
      startTime: '2020-01-01T00:00:00.000Z',
      endTime: '2020-01-01T01:00:00.000Z',
    };
    expect(await schedule(over)).toBe('400 E9999');
    app.clock.advance(SECOND);
    expect(await schedule(window())).toBe('200 scheduled');
    expect(await rollback()).toBe('200 rolled-back');
    expect(await known()).toEqual([
      'unnumbered-us-1 rolled-back',
      'unnumbered-us-2 rolled-back',
      'unnumbered-us-3 rolled-back',
    ]);
    app.clock.advance(31 * DAY);
    expired(app);
    expect(await known()).toHaveLength(2);
    for (const number of [4, 5, 6]) {
      expect(await schedule(window())).toBe('200 scheduled');
      expect(await known()).toContain(`unnumbered-us-${number} scheduled`);
      expect(await rollback()).toBe('200 rolled-back');
      app.clock.advance(SECOND);
    }
  });

  test('stays possible after the tombstone with the highest number has expired: its number comes again, and moves the tenant', async () => {
    const app = tenantInUs();
    const { window, schedule, rollback, known } = withoutIds(app);
    expect(await schedule(window('ZZ'))).toBe('400 E0002');
    const over = {
      location: 'DE',
      startTime: '2020-01-01T00:00:00.000Z',
      endTime: '2020-01-01T01:00:00.000Z',
    };
    expect(await schedule(over)).toBe('400 E9999');
    expect(await rollback()).toBe('200 rolled-back');
    expect(await known()).toEqual(['unnumbered-us-1 rolled-back']);
    app.clock.advance(31 * DAY);
    expired(app);
    const facts = window();
    expect(await schedule(facts)).toBe('200 scheduled');
    expect(await known()).toEqual(['unnumbered-us-1 scheduled']);
    app.clock.advanceTo(Date.parse(facts.startTime));
    expect(await answerOf(app.realm('us').migrations.start(app.caller(), { facts }))).toBe(
      '200 copying',
    );
    await app.runAll();
    expect(await answerOf(app.realm('us').migrations.status(app.caller(), {}))).toBe(
      '200 ready-to-commit',
    );
  });

  test('has a tenth number after its ninth', async () => {
    const app = tenantInUs();
    const { window, schedule, rollback, known } = withoutIds(app);
    for (let number = 1; number <= 12; number += 1) {
      expect(await schedule(window())).toBe('200 scheduled');
      expect(await known()).toContain(`unnumbered-us-${number} scheduled`);
      expect(await rollback()).toBe('200 rolled-back');
      app.clock.advance(SECOND);
    }
  });

  test('is the same one when it is said again, also when it comes late', async () => {
    const app = tenantInUs();
    const { window, schedule, rollback, known } = withoutIds(app);
    const facts = window();
    const late = app.caller();
    expect(await schedule(facts)).toBe('200 scheduled');
    expect(await schedule(facts)).toBe('200 scheduled');
    app.clock.advance(SECOND);
    expect(await rollback()).toBe('200 rolled-back');
    expect(await answerOf(app.realm('us').migrations.schedule(late, facts))).toBe('409 E9999');
    expect(await known()).toEqual(['unnumbered-us-1 rolled-back']);
  });
});

/**
 * Forged input: of executions, by an attacker who may start them, and of items, by one who may
 * write a document.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WORKFLOW_TASKS } from '../../lib/routes.ts';
import { hs256 } from '../support/tokens.ts';
import { eventually, facts, startWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const iteration = { worker: { number: 0, of: 1 }, turns: 5, turn: { number: 0 } };

describe('a forged workflow input', () => {
  test('for a tenant that is not moving makes no task do anything', async () => {
    await world.installed('stays');
    await world.fill('stays', 'us', 5);
    const before = await world.items('stays', 'us');
    const record = await world.record('stays', 'us');
    for (const task of WORKFLOW_TASKS) {
      for (const phase of ['copy', 'commit', 'restore', 'rollback']) {
        const input = {
          ledger: 'us',
          tenant: 'stays',
          migration: '1',
          phase,
          attempt: 1,
          ...iteration,
        };
        for (const realm of ['us', 'de'])
          await world.host.invoke(realm, `tasks/${task}`, input).catch(() => undefined);
      }
    }
    expect(await world.items('stays', 'us')).toEqual(before);
    expect(await world.record('stays', 'us')).toEqual(record);
    expect(await world.record('stays', 'de')).toBeUndefined();
  });

  test('cannot bring a purge forward, nor turn a move round', async () => {
    const site = await world.installed('moves');
    await world.fill('moves', 'us', 5);
    const before = await world.items('moves', 'us');
    await world.ready(site, 2);
    const migration = await world.migration('us', 'moves', 2);
    const key = { ledger: 'us', tenant: 'moves', migration: '2' };
    for (const phase of ['copy', 'commit', 'restore', 'rollback']) {
      for (const task of [
        'purge-source-range',
        'discard-target-range',
        'finish-commit',
        'release-source',
        'restore-source-range',
      ]) {
        const input = {
          ...key,
          ...iteration,
          phase,
          attempt: migration?.attempt,
          // These fields must be ignored:
          status: 'committing',
          source: 'de',
          target: 'us',
          pointOfNoReturn: new Date().toISOString(),
        };
        for (const realm of ['us', 'de'])
          await expect(world.host.invoke(realm, `tasks/${task}`, input)).rejects.toMatchObject({
            name: 'PermanentError',
          });
      }
    }
    expect(await world.items('moves', 'us')).toEqual(before);
    expect(await world.items('moves', 'de')).toEqual(before);
    expect(await world.migration('us', 'moves', 2)).toEqual(migration);
  });

  test.each([
    ['nothing', undefined],
    ['a text', 'copy'],
    ['a list', []],
    ['no tenant', { ledger: 'us', migration: '1', phase: 'copy', attempt: 1 }],
    [
      'a tenant that is a list',
      { ledger: 'us', tenant: ['a'], migration: '1', phase: 'copy', attempt: 1 },
    ],
    [
      'a phase that is none',
      { ledger: 'us', tenant: 'a', migration: '1', phase: 'purge', attempt: 1 },
    ],
    [
      'an attempt that is a text',
      { ledger: 'us', tenant: 'a', migration: '1', phase: 'copy', attempt: '1' },
    ],
    [
      'an attempt that is no number',
      { ledger: 'us', tenant: 'a', migration: '1', phase: 'copy', attempt: Number.NaN },
    ],
  ])('of %s is refused for good by every task', async (_, input) => {
    for (const task of WORKFLOW_TASKS.filter((name) => name !== 'fail-migration'))
      await expect(world.host.invoke('us', `tasks/${task}`, input), task).rejects.toMatchObject({
        name: 'PermanentError',
      });
  });

  test('names no realm that there is not', async () => {
    const input = { ledger: 'mars', tenant: 'a', migration: '1', phase: 'copy', attempt: 1 };
    await expect(world.host.invoke('us', 'tasks/begin-commit', input)).rejects.toThrow('mars');
  });
});

/** Characters that a terminal obeys, or that turn a line around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
/** So that its claims are checked as far as they are before the signature. */
const RS256 = { alg: 'RS256', kid: 'k' };
const POISON = 'a\u001b[2J\u001b]0;owned\u0007\u009b31m\r\n{"level":"info"}\u202ecod.exe';

describe('a poisoned item', () => {
  test('is moved as it is, and its key is harmless where it is named', async () => {
    const site = await world.installed('poisoned');
    await world.put('us', 'templates', { tenant: 'poisoned', id: POISON, text: POISON });
    const before = await world.items('poisoned', 'us');
    await world.scheduled(site, 3);
    await world.hook(site, 'start', 3, facts('DE'));
    await eventually(async () => (await world.record('poisoned', 'de'))?.['state'] === 'standby');
    await world.put('de', 'templates', { tenant: 'poisoned', id: `${POISON}!`, text: POISON });
    await world.until(site, 3, ['ready-to-commit']);
    const named = world.lines.filter((line) => line.includes('differences'));
    expect(named).toHaveLength(1);
    for (const line of world.lines) expect(line).not.toMatch(CONTROL);
    await world.hook(site, 'rollback', 3);
    await world.until(site, 3, ['rolled-back']);
    await world.moved(site, 4, 'DE');
    expect(await world.items('poisoned', 'de')).toEqual(before);
  });

  test('in a location is harmless in the log', async () => {
    const site = await world.installed('misleads');
    const reply = await world.hook(site, 'schedule', 5, { ...facts('DE'), location: POISON });
    expect(reply.status).toBe(400);
    for (const line of world.lines) expect(line).not.toMatch(CONTROL);
  });
});

describe('a token that claims to be from a tenant', () => {
  test.each([
    ['/dare-migration', `JWT ${hs256({ iss: POISON }, 'x')}`],
    [
      '/forge/migration',
      `Bearer ${hs256({ iss: POISON, app: { installationId: POISON } }, 'x', RS256)}`,
    ],
  ])(
    'puts nothing into the log of %s but what has the form of a name',
    async (hooks, authorization) => {
      await fetch(`${world.host.urls['us']}${hooks}/commit`, {
        method: 'POST',
        headers: { authorization },
      });
      const last = world.lines.at(-1) ?? '';
      expect(last).toContain('401: ');
      expect(last).not.toContain('owned');
      expect(last).not.toMatch(CONTROL);
    },
  );
});

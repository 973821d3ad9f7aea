/**
 * `status` and `settings`: the most urgent first, with the next command; and each setting in words,
 * with its operator and time.
 */
import { userInfo } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SettingFact } from '../../lib/operator/acting/settings.ts';
import { type OpenMove, statusEntries } from '../../lib/operator/moves/status-entries.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { migrationRecord } from '../support/builders.ts';
import { HOUR } from '../support/clock.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { facts, startWorld, type World } from '../support/world.ts';

const NOW = Date.parse('2026-12-26T01:00:00.000Z');
const ago = (ms: number) => new Date(NOW - ms).toISOString();
const move = (
  source: OpenMove['source'],
  target: OpenMove['target'],
  migration: Parameters<typeof migrationRecord>[0],
  more: Partial<OpenMove> = {},
): OpenMove => ({
  source,
  target,
  migration: migrationRecord({ updatedAt: ago(60_000), ...migration }),
  ...more,
});
const paused: SettingFact = {
  realm: 'us',
  setting: 'noNewMoves',
  value: true,
  words: 'new moves off',
  since: ago(HOUR),
  by: 'operator ada',
};

describe('what stands first', () => {
  const late = { fractionDone: 0.2, isInTime: false, says: '20 % done' };
  const window = { ...migrationRecord().facts, endTime: '2026-12-26T01:10:00.000Z' };
  const moves = [
    move('active', 'none', { tenant: 'scheduled', status: 'scheduled' }),
    move('frozen', 'standby', { tenant: 'copying', status: 'copying' }),
    move('frozen', 'standby', {
      tenant: 'urgent',
      status: 'copying',
      facts: { location: 'de', startTime: '', ...window },
    }),
    move('active', 'withdrawn', { tenant: 'discarding', status: 'rolling-back', attempt: 9 }),
    move('active', 'standby', {
      tenant: 'failed',
      status: 'failed',
      error: { code: 'E9999', reason: 'too slow' },
    }),
    move('moved', 'active', { tenant: 'halted', status: 'committing', halted: 'it differs' }),
    move('frozen', 'standby', { tenant: 'late', status: 'copying' }, { projection: late }),
    move('moved', 'withdrawn', {
      tenant: 'nobody',
      status: 'rolling-back',
      phase: 'restore',
      attempt: 2,
    }),
  ];

  test('is a tenant that no realm serves; then late, halted, failed, stuck, paused, and moves that need nothing', () => {
    const entries = statusEntries(moves, [paused], NOW);
    expect(entries.map(({ kind, tenant, needsYou }) => [kind, tenant, needsYou])).toEqual([
      ['nobody-serves', 'nobody', true],
      ['late', 'late', true],
      ['halted', 'halted', true],
      ['failed', 'failed', true],
      ['stuck', 'discarding', true],
      ['paused', undefined, false],
      ['under-way', 'urgent', false],
      ['under-way', 'copying', false],
      ['scheduled', 'scheduled', false],
    ]);
  });

  test('says since when, until when, and what to type next', () => {
    const entries = statusEntries(moves, [paused], NOW);
    expect(entries.map(({ says, next }) => [says, next.join(' ')])).toEqual([
      [
        'NOBODY SERVES THIS TENANT (rolling-back, phase restore, attempt 2, for 1 min 0 s); window ends in 1 h 0 min',
        'show nobody 57500',
      ],
      [
        'copying, for 1 min 0 s, the tenant cannot write; 20 % done; window ends in 1 h 0 min',
        'show late 57500',
      ],
      ['halted for 1 min 0 s: it differs; window ends in 1 h 0 min', 'show halted 57500'],
      [
        'failed 1 min 0 s ago: too slow; the source serves; window ends in 1 h 0 min',
        'show failed 57500',
      ],
      ['rolling-back, for 1 min 0 s; window ends in 1 h 0 min', 'retry discarding 57500'],
      [
        'new moves off in us since 2026-12-26 00:00:00Z by operator ada',
        'set --realm us --new-moves default',
      ],
      [
        'copying, for 1 min 0 s, the tenant cannot write; window ends in 10 min 0 s',
        'watch urgent 57500',
      ],
      [
        'copying, for 1 min 0 s, the tenant cannot write; window ends in 1 h 0 min',
        'watch copying 57500',
      ],
      ['scheduled to begin at 2026-12-26 00:00:00Z', 'show scheduled 57500'],
    ]);
  });

  test('is a copy whose window is over, even where nothing is projected', () => {
    const over = move('frozen', 'standby', { status: 'copying' });
    const [entry] = statusEntries([over], [], Date.parse('2026-12-26T02:00:01.000Z'));
    expect([entry?.kind, entry?.says]).toEqual([
      'late',
      expect.stringMatching(/window over for 1.0 s$/),
    ]);
  });
});

describe('on a host', () => {
  let world: World;
  let port: number;
  let residency: OperatorCommand;
  const me = `operator ${userInfo().username}`;
  beforeAll(async () => {
    port = await freeTcpPorts();
    world = await startWorld({ port, env: { DRAIN_SECONDS: '60' } });
    residency = operatorCommand(port);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test('nothing needs an operator while no move is open', async () => {
    const { code, stdout } = await residency('status');
    expect([code, stdout]).toEqual([
      0,
      `local host on port ${port}\n\n✓ nothing needs you: no move is open\n`,
    ]);
  });

  test('a failed copy comes before one under way, with commands that can be pasted, at 80 columns', async () => {
    for (const [id, tenant] of ['under-way', 'gone-wrong'].entries()) {
      const site = await world.installed(tenant);
      await world.scheduled(site, id + 1);
      expect((await world.hook(site, 'start', id + 1, facts('DE'))).status).toBe(200);
    }
    await residency('cancel', 'gone-wrong', '--yes');
    const { code, stdout } = await residency('status');
    expect(code).toBe(1);
    const lines = stdout.split('\n');
    expect(lines.filter((line) => /^[✗·✓]/.test(line))).toEqual([
      '✗ gone-wrong · 2 · us → de',
      '· under-way · 1 · us → de',
      '✗ 1 failed, 1 under way',
    ]);
    expect(lines).toContain(`    npm exec --no -- residency watch under-way 1 --local ${port}`);
    expect(lines).toContainEqual(expect.stringMatching(/^ {4}window ends in 1 h \d+ min$/));
    for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(80);
    const { report } = await residency.json('status');
    expect(report).toMatchObject({
      counts: { failed: 1, 'under-way': 1 },
      entries: [
        { kind: 'failed', needsYou: true, tenant: 'gone-wrong', migration: '2', status: 'failed' },
        { kind: 'under-way', needsYou: false, tenant: 'under-way', windowEnds: expect.any(String) },
      ],
    });
  });

  test('settings are told by whom and since when, of a realm and of a tenant', async () => {
    await world.installed('own-pace');
    const set = (...args: readonly string[]) => residency('set', ...args, '--yes');
    await set('--realm', 'us', '--new-moves', 'off');
    await set('--realm', 'de', '--tenant', 'own-pace', '--concurrency', '3', '--rate-limit', '50');
    const { report } = await residency.json('settings', '--tenant', 'own-pace');
    const since = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(Object(report).settings).toEqual([
      { realm: 'us', setting: 'noNewMoves', value: true, words: 'new moves off', since, by: me },
      {
        realm: 'de',
        tenant: 'own-pace',
        setting: 'concurrency',
        value: 3,
        words: 'concurrency 3 (ranges of one move at once)',
        since,
        by: me,
      },
      {
        realm: 'de',
        tenant: 'own-pace',
        setting: 'rateLimit',
        value: 50,
        words: 'rate limit 50 items a second (of one move in one table)',
        since,
        by: me,
      },
    ]);
    const ofRealms = Object((await residency.json('settings')).report).settings;
    expect(ofRealms.map(({ setting }: { setting: string }) => setting)).toEqual(['noNewMoves']);
    const everybodys = Object((await residency.json('settings', '--all')).report).settings;
    expect(everybodys).toEqual(Object(report).settings);

    const sentence = new RegExp(`new moves off in us since \\d{4}-\\d\\d-\\d\\d .*Z by ${me}`);
    for (const args of [
      ['settings'],
      ['migrations'],
      ['doctor'],
      ['status'],
      ['show', 'under-way'],
    ])
      expect((await residency(...args)).stdout, args[0]).toMatch(sentence);
    await set('--realm', 'us', '--new-moves', 'default');
    expect((await residency('settings', '--realm', 'us')).stdout).toContain('nothing is set in us');
  });

  test('a setting holds since it was made, not since it was made again or since another was changed', async () => {
    const set = (...args: readonly string[]) => residency('set', '--realm', 'sg', ...args, '--yes');
    await set('--concurrency', '5');
    const before = Object((await residency.json('settings', '--realm', 'sg')).report).settings;
    await set('--rate-limit', '70');
    const after = Object((await residency.json('settings', '--realm', 'sg')).report).settings;
    expect(after).toHaveLength(2);
    expect(after[0]).toEqual(before[0]);
    expect(after[1].since > before[0].since).toBe(true);
  });
});

/**
 * `watch` on a terminal: status first, at 80 columns, also before the move begins; and it leaves
 * the terminal as it was.
 */
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { PartProgress, Shown } from '../../lib/operator/moves/show.ts';
import { frameOf, type Look, lineOf } from '../../lib/operator/moves/watch-frame.ts';
import { residencyCommand } from '../../lib/operator/program.ts';
import { screenOn } from '../../lib/operator/terminal/screen.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { FEWER_SHARDS, facts, startWorld } from '../support/world.ts';

const NOW = Date.parse('2026-12-26T01:00:00.000Z');
const part = (rest: Partial<PartProgress>): PartProgress => ({
  part: 'exports',
  realm: 'de',
  work: 'copy',
  ranges: 16,
  rangesDone: 4,
  items: 61_202,
  bytes: 1,
  ...rest,
});

function looked(rest: Partial<Shown['migration']>, more: Partial<Shown> = {}): Look {
  const shown: Shown = {
    migration: {
      tenant: 'acme',
      id: '57500',
      source: 'us',
      target: 'de',
      status: 'copying',
      attempt: 1,
      scheduledAt: '2026-12-25T00:00:00.000Z',
      updatedAt: '2026-12-26T00:48:00.000Z',
      window: { start: '2026-12-26T00:30:00.000Z', end: '2026-12-26T01:37:00.000Z' },
      ...rest,
    },
    timeline: [],
    progress: [part({})],
    settings: [],
    ...more,
  };
  return { shown, at: NOW, totals: new Map([['exports', 100_000]]), rate: 2_310.4 };
}

describe('a frame', () => {
  test('has the status first, then percent, rate, projected end, and what is left of the window', () => {
    const projection = {
      fractionDone: 0.618,
      endsAt: '2026-12-26T01:12:00.000Z',
      isInTime: true,
      says: '',
    };
    expect(frameOf(looked({}, { projection }), 80).split('\n')).toEqual([
      'copying for 12 min 0 s',
      'acme · migration 57500 · us → de',
      `  ${'█'.repeat(18)}${'░'.repeat(12)} 61 %  2,310 items/s`,
      '  verified about 2026-12-26 01:12:00Z',
      '  window ends 2026-12-26 01:37:00Z, 37 min 0 s left',
      '  copy exports                  4/16 ranges  61,202 of 100,000 items',
    ]);
  });

  test('says of a scheduled move that it is copied ahead, and how much of it', () => {
    const window = { start: '2026-12-26T03:03:00.000Z', end: '2026-12-26T04:33:00.000Z' };
    const ahead = looked(
      { status: 'scheduled', phase: 'ahead', window, aheadSays: 'is being copied ahead to de' },
      { progress: [part({ work: 'copy-ahead' })] },
    );
    expect(frameOf(ahead, 90).split('\n').slice(0, 3)).toEqual([
      'scheduled: begins in 2 h 3 min; is being copied ahead to de',
      'acme · migration 57500 · us → de',
      `  ${'█'.repeat(8)}${'░'.repeat(22)} 25 %  2,310 items/s`,
    ]);
    expect(lineOf(ahead).text).toContain('is being copied ahead to de');
  });

  test('says of a scheduled move when it begins', () => {
    const window = { start: '2026-12-26T03:03:00.000Z', end: '2026-12-26T04:33:00.000Z' };
    const early = looked({ status: 'scheduled', window }, { progress: [] });
    expect(frameOf(early, 80).split('\n')).toEqual([
      'scheduled: begins in 2 h 3 min',
      'acme · migration 57500 · us → de',
      '  window ends 2026-12-26 04:33:00Z, 3 h 33 min left',
    ]);
    const due = looked({ status: 'scheduled' }, { progress: [] });
    expect(frameOf(due, 80)).toMatch(/^scheduled: waits for Atlassian’s start\n/);
  });

  test('says when it is too late, failed or halted', () => {
    const projection = {
      fractionDone: 0.2,
      endsAt: '2026-12-26T02:12:00.000Z',
      isInTime: false,
      says: '',
    };
    expect(frameOf(looked({}, { projection }), 80)).toContain('✗ TOO LATE for its window');
    const error = { code: 'E9999', reason: 'the table is gone' } as const;
    expect(frameOf(looked({ status: 'failed', error }), 80)).toMatch(
      /^✗ failed: the table is gone/,
    );
    const halted = looked({ status: 'committing', halted: 'it differs' });
    expect(frameOf(halted, 80)).toMatch(/^✗ committing, HALTED: it differs/);
  });

  test.each([80, 40])('fits into %i columns, whatever stands in the tables', (columns) => {
    const evil = `\u001b[2J${'x'.repeat(300)}`;
    const look = looked(
      { tenant: evil, halted: evil },
      { progress: [part({ lastError: evil }), part({ part: 'a-part-with-quite-a-long-name' })] },
    );
    for (const line of frameOf(look, columns).split('\n'))
      expect([...line].length).toBeLessThanOrEqual(columns);
    expect(frameOf(look, columns).replaceAll('\n', '')).not.toMatch(/\p{C}/u);
  });

  test('is the same line in a log while nothing but the clock has changed', () => {
    const [one, later] = [looked({}), { ...looked({}), at: NOW + 60_000 }];
    expect(lineOf(one).key).toBe(lineOf(later).key);
    expect(lineOf(one).text).toBe(
      '2026-12-26 01:00:00Z  copying · 25 % · copy exports 61,202 (4/16) · 2,310 items/s · too early for a projection · window ends 2026-12-26 01:37:00Z, 37 min 0 s left',
    );
  });
});

/** Records what a terminal of 80 columns would get. */
function terminal() {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  const sent: string[] = [];
  stream.on('data', (chunk) => sent.push(String(chunk)));
  // The stream has everything that log-update uses.
  return { stream: stream as unknown as NodeJS.WriteStream, sent: () => sent.join('') };
}

/**
 * No mode is left on, and none that Ctrl-C would leave on is ever used: no hidden cursor, no other
 * screen.
 */
function expectUntouched(sent: string) {
  const modes = sent.split('\u001b[?').slice(1);
  // This mode lasts for one frame: the terminal shows it at once.
  expect(modes.filter((mode) => !/^2026[hl]/.test(mode))).toEqual([]);
  expect(sent.split('\u001b[?2026h').length).toBe(sent.split('\u001b[?2026l').length);
  expect(sent.replaceAll('\u001b[?2026l', '').endsWith('\n')).toBe(true);
}

describe('a terminal', () => {
  test('sees a scheduled move begin, and is left as it was found', async () => {
    const port = await freeTcpPorts();
    await using world = await startWorld({ port });
    const site = await world.installed('acme');
    await world.fill('acme', 'us', 20);
    await world.scheduled(site, 1);
    const { stream, sent } = terminal();
    const printed: string[] = [];
    const frames: string[] = [];
    const watching = residencyCommand(
      ['watch', 'acme', '--every', '0.2', '--local', String(port)],
      {
        residency: FEWER_SHARDS,
        print: (text) => printed.push(text),
        complain: (text) => printed.push(text),
        isInteractive: true,
        screen: async () => {
          const screen = await screenOn(stream);
          return {
            ...screen,
            draw(text) {
              frames.push(text);
              screen.draw(text);
            },
          };
        },
        ask: async () => '',
      },
    );
    await expect.poll(() => frames.length).toBeGreaterThan(1);
    expect(frames[0]).toMatch(/^scheduled: /);
    await world.hook(site, 'start', 1, facts('DE'));
    expect(await watching).toBe(0);
    expect(frames.at(-1)).toMatch(/^ready-to-commit for .*\nacme · migration 1 · us → de\n/);
    for (const line of frames.join('\n').split('\n'))
      expect([...line].length).toBeLessThanOrEqual(80);
    expectUntouched(sent());
  });

  test('is left as it was found when the host goes away, with one sentence', async () => {
    const port = await freeTcpPorts();
    const world = await startWorld({ port });
    await world.scheduled(await world.installed('acme'), 1);
    const { stream, sent } = terminal();
    const complained: string[] = [];
    const frames: string[] = [];
    const watching = residencyCommand(
      ['watch', 'acme', '--every', '0.2', '--local', String(port)],
      {
        residency: FEWER_SHARDS,
        print: () => {},
        complain: (text) => complained.push(text),
        isInteractive: true,
        screen: async () => {
          const screen = await screenOn(stream);
          return {
            ...screen,
            draw(text) {
              frames.push(text);
              screen.draw(text);
            },
          };
        },
        ask: async () => '',
      },
    );
    await expect.poll(() => frames.length).toBeGreaterThan(0);
    await world[Symbol.asyncDispose]();
    expect(await watching).toBe(1);
    expect(complained).toEqual([
      `local host on port ${port}: nothing answers there: is the local host up (npm run local), and on that port?`,
    ]);
    expectUntouched(sent());
  });
});

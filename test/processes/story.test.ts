/** `npm start` in a process of its own: it says how it ends, also where it is interrupted. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { teller } from '../../lib/local/story/print.ts';
import { tellStory } from '../../lib/local/story/story.ts';
import { residency } from '../../residency.config.ts';
import { runScript } from '../support/run-script.ts';
import { startWorld, type World } from '../support/world.ts';

const ENTRY = fileURLToPath(new URL('../../bin/local.ts', import.meta.url));
const STORY = { from: 'us', to: 'de', items: 100, rollback: false, door: 'connect' } as const;

describe('a story', () => {
  test.each(['story --help', '--help', 'story -h'])(
    'is not told where help is wanted: %s',
    async (words) => {
      const { code, output } = await runScript(ENTRY, words.split(' '));
      expect(code).toBe(0);
      expect(output).toMatch(/^usage: node bin\/local\.ts\n/);
      expect(output).toContain('--rollback');
    },
  );

  test('that is interrupted says its last state, and ends with 130', async () => {
    const { PATH = '', HOME = '' } = process.env;
    const env = { PATH, HOME, DRAIN_SECONDS: '60' };
    const child = spawn(process.execPath, [ENTRY, 'story', '--items', '100'], { env });
    let said = '';
    let isKilled = false;
    const ended = once(child, 'close');
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (!isKilled && said.includes('Drain the source')) isKilled = child.kill('SIGINT');
      });
    }
    expect(await ended).toEqual([130, null]);
    expect(said).toMatch(/The story is interrupted\n/);
    const [, state] = said.split('\nLast state\n');
    expect(state).toMatch(
      /^ {2}migration 57500: copying\n {2}acme in us: frozen, 1\d\d items\n {2}acme in de: standby, 0 items\n$/,
    );
  });
});

describe('a story that fails on its way', () => {
  let world: World;
  let isAway: boolean;
  beforeEach(async () => {
    isAway = false;
    world = await startWorld({
      residency,
      dynamoDb: {
        inject: ({ input }) =>
          isAway && input['TableName'] === 'residency-local-us-migrations'
            ? { error: 'AccessDeniedException' }
            : undefined,
      },
    });
  });
  afterEach(() => world[Symbol.asyncDispose]());

  test('says its last state, and what it could not read', async () => {
    const lines: string[] = [];
    const tell = teller((line) => {
      lines.push(line);
      if (line.includes('installs the app on the site of acme-10')) isAway = true;
    });
    const { atlassian } = world;
    const broken = {
      ...world.host,
      atlassian: {
        ...atlassian,
        request: () => Promise.reject(new Error('the browser was closed')),
      },
    };
    const end = await tellStory(broken, STORY, tell);
    expect(end).toEqual({ holds: false, brokenOff: 'failed' });
    const told = lines.join('\n');
    expect(told).toMatch(/The story fails +the browser was closed/);
    expect(told.split('Last state\n')[1]).toBe(
      [
        '  migration 57500: unknown, as the local host does not answer',
        '  acme in us: active, 100 items',
        '  acme in de: no record, 0 items',
      ].join('\n'),
    );
  });
});

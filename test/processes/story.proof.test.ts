/** `npm start` in a process of its own: it says how it ends, also where it is interrupted. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { teller } from '../../lib/local/story/print.ts';
import { tellStory } from '../../lib/local/story/story.ts';
import { residency } from '../../residency.config.ts';
import { type Buckets, bucketsIn, put } from '../support/objects.ts';
import { runScript } from '../support/run-script.ts';
import { startWorld, WITH_DOCUMENTS, type World } from '../support/world.ts';

const ENTRY = fileURLToPath(new URL('../../bin/local.ts', import.meta.url));
const STORY = { from: 'us', to: 'de', items: 100, rollback: false, door: 'connect' } as const;

describe.concurrent('a story', () => {
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
      /^ {2}migration 57500: copying\n {2}acme in us: frozen, 1\d\d items and 1\d objects\n {2}acme in de: standby, 0 items and 0 objects\n$/,
    );
  });
});

describe.concurrent('a story of a tenant that is copied ahead', () => {
  const told = (...words: readonly string[]) =>
    runScript(ENTRY, ['story', '--ahead', '--items', '1000', ...words], {
      env: { DRAIN_SECONDS: '0', COMMIT_GRACE_SECONDS: '0' },
    });

  test('shows that every change since arrives, and a fence that is shorter than the copying', async () => {
    const { code, output } = await told();
    expect(code, output).toBe(0);
    expect(output).toMatch(/✓ all 903 items arrived in de unchanged, compared one by one/);
    expect(output).toMatch(/✓ all 26 objects arrived in de, unchanged in bytes, headers, metadata/);
    expect(output).toMatch(
      /✓ the tenant's prefix is empty in us: nothing is left of 28 versions, 1 delete marker and 1 open upload/,
    );
    expect(output).toMatch(/✓ a user reads the exported document again, by a URL of de \(200\)/);
    expect(output).toMatch(/✓ all \d+ writes of a user meanwhile were accepted/);
    expect(output).toMatch(
      /✓ what was written after it is in de \(200\), and what was deleted is not/,
    );
    expect(output).toMatch(
      /✓ the site was read-only for [\d.]+ s; copying ahead had taken [\d.]+ s/,
    );
  });

  test('shows that a cancelled one leaves nothing in the target', async () => {
    const { code, output } = await told('--rollback');
    expect(code, output).toBe(0);
    expect(output).toMatch(/✓ the migration ended rolled-back/);
    expect(output).toMatch(/✓ de holds nothing of the tenant/);
    expect(output).toMatch(
      /✓ 903 items and 26 objects were copied ahead, while us served and de did not \(standby\)/,
    );
  });
});

describe('a story in whose target an object is changed', () => {
  let world: World;
  let documents: Buckets;
  beforeEach(async () => {
    world = await startWorld({ residency: WITH_DOCUMENTS });
    documents = bucketsIn(world.host, 'documents');
  });
  afterEach(async () => {
    documents.client('de').destroy();
    await world[Symbol.asyncDispose]();
  });

  test('tells it, although its bytes are the same', async () => {
    const lines: string[] = [];
    let isCommitted = false;
    const tell = teller((line) => {
      lines.push(line);
      isCommitted ||= /Atlassian: commit +200/.test(line);
    });
    const { atlassian } = world;
    // The first request of a user after the commit: the copy is verified by then.
    const request: typeof atlassian.request = async (...asked) => {
      if (isCommitted)
        await put(documents, 'de', 'acme/metadata', { Body: 'same body', Metadata: { team: 'b' } });
      return atlassian.request(...asked);
    };
    const host = { ...world.host, atlassian: { ...atlassian, request } };
    expect(await tellStory(host, STORY, tell)).toEqual({ holds: false });
    expect(lines.filter((line) => line.includes('✗'))).toEqual([
      expect.stringMatching(/all \d+ objects arrived in de, unchanged in bytes, headers, metadata/),
    ]);
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
        '  acme in us: active, 100 items and 10 objects',
        '  acme in de: no record, 0 items and 0 objects',
      ].join('\n'),
    );
  });
});

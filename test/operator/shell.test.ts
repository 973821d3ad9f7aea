/** The command line in a shell: how soon it answers, and its completion, colours and help. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { residencyCommand } from '../../lib/operator/program.ts';
import { coloured, hasColours } from '../../lib/operator/terminal/colour.ts';
import { residency } from '../../residency.config.ts';
import { typed } from '../support/operator-command.ts';

const run = promisify(execFile);
const ENTRY = fileURLToPath(new URL('../../bin/residency.ts', import.meta.url));
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/residency', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shell-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function said(...args: readonly string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const code = await residencyCommand(args, {
    residency,
    print: (line) => {
      text += `${line}\n`;
    },
    complain: (line) => {
      text += `${line}\n`;
    },
    isInteractive: false,
    ask: async () => '',
  });
  return { code, text };
}

describe('an answer comes soon', () => {
  test('for nothing is loaded that a command does not need, and what is loaded is kept compiled', async () => {
    const [preload, list] = [join(folder, 'preload.mjs'), join(folder, 'loaded')];
    await writeFile(
      preload,
      `import { registerHooks } from 'node:module';
       import { appendFileSync } from 'node:fs';
       registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(list)}, url + '\\n'); return next(url, context); } });`,
    );
    const { PATH = '' } = process.env;
    const args = ['--import', preload, ENTRY, 'where', 'acme', '--local', '1'];
    await expect(run(process.execPath, args, { env: { PATH } })).rejects.toThrow(
      'nothing answers on port 1 ',
    );
    const loaded = (await readFile(list, 'utf8')).split('\n');
    expect(loaded.some((url) => url.includes('@aws-sdk/client-dynamodb'))).toBe(true);
    const heavy =
      /node_modules\/(aws-cdk|cdk-nag|constructs|esbuild|dynalite|aws-local-stepfunctions|@middy|@aws-lambda-powertools|vitest)|\/lib\/local\//;
    expect(loaded.filter((url) => heavy.test(url))).toEqual([]);
    expect((await readdir(CACHE)).length).toBeGreaterThan(0);
  });
});

describe('help', () => {
  test('has examples that can be pasted, and marks what writes', async () => {
    const { code, text } = await said('--help');
    expect(code).toBe(0);
    expect(text).toContain('npm exec --no -- residency where acme --stage prod');
    const blocks = text.split(/^ {2}(?=[a-z-]+ [[<])/m);
    const writing = blocks
      .filter((block) => block.includes('WRITES:') || block.includes('it WRITES'))
      .map((block) => block.split(' ')[0]);
    for (const name of ['cancel', 'ahead', 'retry', 'set', 'smoke', 'adopt', 'disown', 'rehearse'])
      expect(writing, name).toContain(name);
    for (const name of ['status', 'where', 'show', 'audit', 'doctor'])
      expect(writing, name).not.toContain(name);
    const names = [...text.matchAll(/^ {2}([a-z-]+)(?= \[| <)/gm)].map(([, name = '']) => name);
    for (const name of names.filter((one) => one !== 'help'))
      expect((await said(name, '--help')).text, name).toMatch(/Examples?:\n.*residency /);
  });

  test('of the process says which version it is', async () => {
    const { version } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    expect(await typed(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('completion', () => {
  /** The words that bash offers; the last word is being typed. */
  async function offered(...words: readonly string[]): Promise<readonly string[]> {
    const { text } = await said('completion', 'bash');
    const script = `${text}
      COMP_WORDS=(residency ${words.map((word) => `"${word}"`).join(' ')})
      COMP_CWORD=${words.length}
      _residency
      printf '%s\\n' "\${COMPREPLY[@]}"
      complete -p residency res >/dev/null`;
    const { stdout } = await run('bash', ['-c', script]);
    return stdout.split('\n').filter(Boolean);
  }

  test('offers commands, their own options, realms, roles and statuses', async () => {
    expect(await offered('s')).toEqual([
      ...['status', 'show', 'settings', 'scan', 'set', 'smoke', 'smoke-key'],
    ]);
    expect(await offered('audit', '--')).toEqual([
      ...[
        '--stage',
        '--json',
        '--local',
        '--role',
        '--domain',
        '--realms',
        '--tenant',
        '--all',
        '--help',
      ],
    ]);
    expect(await offered('rehearse', 'acme', '--to', '')).toEqual(['us', 'de', 'eu', 'au', 'sg']);
    expect(await offered('show', 'acme', '--role', 'operator-a')).toEqual(['operator-act']);
    expect(await offered('migrations', '--status', 'c')).toEqual([
      ...['copying', 'committing', 'committed'],
    ]);
  });

  test('is the same function in zsh, and there is none for another shell', async () => {
    const zsh = await said('completion', 'zsh');
    expect(zsh.text).toContain('bashcompinit');
    expect(await said('completion', 'fish')).toEqual({
      code: 2,
      text: 'completion is for bash or zsh, not "fish"\n',
    });
  });
});

describe('colour', () => {
  test('is for a terminal that has it, and not where NO_COLOR says any text', () => {
    const terminal = { isTTY: true, hasColors: () => true };
    expect(hasColours(terminal, {})).toBe(true);
    expect(hasColours(terminal, { NO_COLOR: '' })).toBe(true);
    expect(hasColours(terminal, { NO_COLOR: '1' })).toBe(false);
    expect(hasColours({ ...terminal, hasColors: () => false }, {})).toBe(false);
    // A pipe or a file: Node gives it neither property.
    expect(hasColours({ isTTY: false }, {})).toBe(false);
  });

  test('is for the place, for what is right, and for what is wrong', () => {
    expect(coloured('stage prod, account 1\n\n✓ fine\n  ✗ wrong\nplain')).toBe(
      '\u001b[1mstage prod, account 1\u001b[22m\n\n\u001b[32m✓\u001b[39m fine\n\u001b[31m  ✗ wrong\u001b[39m\nplain',
    );
  });

  test('is not in a pipe', async () => {
    for (const args of [['--help'], ['where', 'acme', '--local', '1']]) {
      const { stdout, stderr } = await typed(args);
      expect(stdout + stderr).not.toContain('\u001b');
    }
  });
});

test('the local host and the story say what they take, and start nothing', async () => {
  const local = fileURLToPath(new URL('../../bin/local.ts', import.meta.url));
  const { stdout } = await run(process.execPath, [local, 'story', '--help']);
  expect(stdout).toMatch(/^usage: node bin\/local.ts\n(.*\n)*.*story \[--from us\]/);
});

/** Every alarm names a section of the runbook that exists, and the commands there exist. */
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { STATUSES } from '../../lambdas/domain/moving/migration.ts';
import { ALARMS, runbookOf } from '../../lib/alarms.ts';
import { residencyCommand } from '../../lib/operator/program.ts';
import { residency } from '../../residency.config.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const runbook = read('docs/runbook.md');
const anchorsOf = (text: string) =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );

describe('the runbook', () => {
  test.each(ALARMS.map((row) => [row.word, runbookOf(row)]))('has a section for %s', (_, link) => {
    expect(anchorsOf(runbook)).toContain(link.split('#')[1]);
  });

  test('has a row for each status', () => {
    for (const status of STATUSES) expect(runbook).toContain(`| \`${status}\` |`);
  });

  test('leads to headings that are there', () => {
    const links = [...runbook.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor]) => anchor);
    expect(links.length).toBeGreaterThan(5);
    expect(anchorsOf(runbook)).toEqual(expect.arrayContaining(links));
  });
});

async function commands(): Promise<readonly string[]> {
  let help = '';
  await residencyCommand(['--help'], {
    residency,
    print: (text) => {
      help += text;
    },
    complain: () => {},
    isInteractive: false,
    ask: async () => '',
  });
  return [...help.matchAll(/^ {2}([a-z-]+)(?= \[| <)/gm)].map(([, name = '']) => name);
}

test('docs/operator.md has every command', async () => {
  const text = read('docs/operator.md');
  const known = await commands();
  expect(known).toHaveLength(24);
  for (const name of known.filter((one) => one !== 'help')) expect(text).toContain(`\`${name}`);
});

test.each(['docs/runbook.md', 'docs/adopt.md', 'docs/tenants.md', 'README.md'])(
  '%s names no command that does not exist',
  async (file) => {
    const named = [
      ...read(file).matchAll(/(?:npm exec --no -- residency|`res) ([a-z][a-z-]*)/g),
    ].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(0);
    expect(await commands()).toEqual(expect.arrayContaining(named));
  },
);

test('no text names a command that npm would download from a stranger', () => {
  const files = globSync(['*.md', 'docs/**/*.md', '{bin,lib,lambdas,descriptor}/**/*.ts'], {
    cwd: new URL('../..', import.meta.url),
  });
  expect(files.length).toBeGreaterThan(100);
  const warns = [
    'CHANGELOG.md',
    'docs/decisions/0047-the-command-line-is-not-bundled.md',
    'docs/operator.md',
    'lib/operator/terminal/command-name.ts',
  ];
  const risky = files.filter((file) => /npx residency/.test(read(file)) && !warns.includes(file));
  expect(risky).toEqual([]);
});

/** The documents: their links lead somewhere, the index is complete, and the README is short. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { SLOWEST } from './slowest-files.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)));
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const documents = tracked.filter((file) => file.endsWith('.md'));
const linesOf = (file: string) => read(file).trimEnd().split('\n').length;

/** How GitHub names the anchor of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

/** Text outside of code, where links count. */
const proseOf = (file: string) => read(file).replace(/```[\s\S]*?```/g, '');

function brokenLinksOf(file: string): string[] {
  const links = [...proseOf(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? file : join(dirname(file), path);
    if (!existsSync(join(ROOT, target))) return true;
    if (anchor === undefined) return false;
    const headings = [...proseOf(target).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text);
    return !headings.map(anchorOf).includes(anchor);
  });
}

describe('the documents', () => {
  test('are more than a handful', () => expect(documents.length).toBeGreaterThan(30));

  test.each(documents)('%s has no link that leads nowhere', (file) => {
    expect(brokenLinksOf(file)).toEqual([]);
  });

  test('find a link that leads nowhere', () => {
    expect(anchorOf('Realms, and how to add one')).toBe('realms-and-how-to-add-one');
    expect(anchorOf('`Table` rather than `TableV2`')).toBe('table-rather-than-tablev2');
  });

  test('are all in the index', () => {
    const index = read('docs/README.md');
    const pages = documents.filter((file) => /^docs\/(decisions\/)?[^/]+\.md$/.test(file));
    const missing = pages.filter(
      (file) => file !== 'docs/README.md' && !index.includes(basename(file)),
    );
    expect(missing).toEqual([]);
  });

  test('say of a decision that was superseded that it was', () => {
    const index = read('docs/README.md');
    for (const file of documents.filter((name) => name.startsWith('docs/decisions/'))) {
      const by = /^Superseded by \[(\d+)\]/m.exec(read(file))?.[1];
      if (by === undefined) continue;
      const row = index.split('\n').find((line) => line.includes(basename(file)));
      expect(row).toContain(`superseded by ${by}`);
    }
  });

  test('begin with a README of one sitting', () => {
    expect(linesOf('README.md')).toBeLessThanOrEqual(250);
    expect(linesOf('docs/design.md')).toBeLessThanOrEqual(200);
  });
});

describe('the files that CONTRIBUTING.md and docs/design.md name', () => {
  test.each(['CONTRIBUTING.md', 'docs/design.md', 'README.md'])('%s: exist', (document) => {
    const named = [
      ...read(document).matchAll(/`((?:lambdas|lib|test|bin|docs|bench)\/[^`\s*{]*)`/g),
    ]
      .map(([, path = '']) => path)
      .filter((path) => !path.includes('…'));
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

test('the files that a run begins with exist', () => {
  expect(SLOWEST.filter((name) => !existsSync(join(ROOT, `test/${name}.test.ts`)))).toEqual([]);
});

describe('the folders of lambdas/ and lib/local', () => {
  /** One file is one Lambda: this folder is a list. */
  const LISTS = ['lambdas/tasks'];

  test('hold no more than twenty source files each', () => {
    const counts = new Map<string, number>();
    for (const file of tracked.filter((name) => /^(lambdas|lib\/local)\/.*\.ts$/.test(name))) {
      const folder = dirname(file);
      counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
    const crowded = [...counts].filter(([folder, n]) => n > 20 && !LISTS.includes(folder));
    expect(counts.size).toBeGreaterThan(10);
    expect(crowded).toEqual([]);
  });
});

test('no file outside of tests and bench has more than 360 lines', () => {
  const sources = tracked.filter((name) => /^(lambdas|lib|bin|packages)\/.*\.ts$/.test(name));
  expect(sources.length).toBeGreaterThan(200);
  expect(sources.filter((name) => linesOf(name) > 360)).toEqual([]);
});

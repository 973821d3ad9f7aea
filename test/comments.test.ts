/** Comments wrap at 100 columns, which the formatter does not do. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['bench', 'bin', 'descriptor', 'examples', 'lambdas', 'lib', 'packages', 'test'];
const LIST = ['ls-files', '--cached', '--others', '--exclude-standard', ...FOLDERS];

const sources = execFileSync('git', LIST, { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.(ts|js|mjs|css)$/.test(file) && existsSync(ROOT + file));

/** A line that holds a comment and nothing else, and is too long; a URL cannot be wrapped. */
const isWide = (line: string): boolean =>
  line.length > 100 && /^ *(?:\/\/|\/\*|\*)/.test(line) && !/https?:\S{60,}$/.test(line);

test('comments wrap at 100 columns', () => {
  expect(sources.length).toBeGreaterThan(300);
  const wide = sources.flatMap((file) =>
    readFileSync(ROOT + file, 'utf8')
      .split('\n')
      .flatMap((line, at) => (isWide(line) ? [`${file}:${at + 1}`] : [])),
  );
  expect(wide).toEqual([]);
});

test('a wide comment is seen, and a long URL is not', () => {
  expect(isWide(`  // ${'word '.repeat(20)}`)).toBe(true);
  expect(isWide(` * https://example.com/${'a'.repeat(90)}`)).toBe(false);
});

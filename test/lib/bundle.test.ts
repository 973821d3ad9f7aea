/** Bundling: once for all Lambdas, and no Lambda without code. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { bundle } from '../../lib/bundle.ts';
import { ENTRIES, wordOf } from '../../lib/entries.ts';

let lambdas: string;
let outdir: string;

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  lambdas = join(folder, 'lambdas');
  outdir = join(folder, 'dist');
  for (const entry of ENTRIES) {
    mkdirSync(dirname(join(lambdas, entry)), { recursive: true });
    writeFileSync(
      join(lambdas, `${entry}.ts`),
      `export const handler = async (): Promise<string> => '${entry}';\n`,
    );
  }
});

describe('the bundles', () => {
  test('hold one handler per entry, each runnable on its own', async () => {
    const { sizes } = await bundle({ lambdas, outdir });
    expect([...sizes.keys()]).toEqual(ENTRIES);
    const { handler } = await import(pathToFileURL(join(outdir, 'hooks/start.mjs')).href);
    await expect(handler()).resolves.toBe('hooks/start');
  });

  test('hold once what entries share, and count it for each that loads it', async () => {
    writeFileSync(join(lambdas, 'words.ts'), `export const words = '${'word '.repeat(400)}';\n`);
    for (const entry of ['hooks/commit', 'hooks/rollback'])
      writeFileSync(
        join(lambdas, `${entry}.ts`),
        `import { words } from '../words.ts';\nexport const handler = async () => words;\n`,
      );
    const { sizes } = await bundle({ lambdas, outdir });
    expect(sizes.get('hooks/commit')).toBeGreaterThan(2_000);
    expect(sizes.get('hooks/rollback')).toBeGreaterThan(2_000);
    expect(sizes.get('hooks/status')).toBeLessThan(1_000);
    const written = await readdir(outdir, { recursive: true });
    const files = written.filter((path) => path.endsWith('.js') || path.endsWith('.mjs'));
    const holding = files.filter((path) =>
      readFileSync(join(outdir, path), 'utf8').includes('word word'),
    );
    expect(holding).toHaveLength(1);
    const { handler } = await import(pathToFileURL(join(outdir, 'hooks/rollback.mjs')).href);
    await expect(handler()).resolves.toHaveLength(2_000);
  });

  test('are refused when an entry is missing', async () => {
    rmSync(join(lambdas, 'tasks/settle.ts'));
    await expect(bundle({ lambdas, outdir })).rejects.toThrow(/do not exist: .*tasks\/settle\.ts$/);
  });

  test('are refused when an entry exports no handler', async () => {
    writeFileSync(join(lambdas, 'hooks/commit.ts'), 'export const commit = 1;\n');
    await expect(bundle({ lambdas, outdir })).rejects.toThrow('hooks/commit.ts exports no handler');
  });
});

describe('the Lambdas', () => {
  test('have names of their own, though a name is the last word of an entry', () => {
    expect(new Set(ENTRIES.map(wordOf)).size).toBe(ENTRIES.length);
  });
});

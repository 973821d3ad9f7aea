/**
 * Builds what is published: per module system a folder of its own, with bundles and their types.
 * The rule of the guard comes out of `lambdas/` as it stands there, so that the package cannot say
 * anything else than the handlers (decision 60).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const HERE = import.meta.dirname;
const OUT = join(HERE, 'dist');
const ENTRIES = ['index', 'express', 'ace-store', 'delivery'];
const FORMATS = { esm: 'module', cjs: 'commonjs' } as const;

rmSync(OUT, { recursive: true, force: true });
for (const format of ['esm', 'cjs'] as const) {
  await build({
    entryPoints: ENTRIES.map((entry) => join(HERE, 'src', `${entry}.ts`)),
    outdir: join(OUT, format),
    bundle: true,
    splitting: format === 'esm',
    chunkNames: 'chunk-[hash]',
    platform: 'node',
    target: 'node20',
    format,
    mainFields: ['module', 'main'],
    external: ['@aws-sdk/client-dynamodb'],
    logLevel: 'warning',
  });
  writeFileSync(join(OUT, format, 'package.json'), `{"type":"${FORMATS[format]}"}\n`);
}
copyTypes();

/** Takes the declarations that the entries lead to. One that leads out of `src` is refused. */
function copyTypes(): void {
  const made = mkdtempSync(join(tmpdir(), 'guard-types-'));
  try {
    const tsc = createRequire(import.meta.url).resolve('typescript/package.json');
    execFileSync(process.execPath, [join(tsc, '../bin/tsc'), '-p', HERE, '--outDir', made], {
      stdio: 'inherit',
    });
    const files = new Set(ENTRIES.map((entry) => `${entry}.d.ts`));
    // A set hands out what is added while it is walked.
    for (const file of files) {
      const text = readFileSync(join(made, 'packages/guard/src', file), 'utf8');
      if (text.includes("'../")) throw new Error(`${file} leads out of the package`);
      for (const [, name] of text.matchAll(/ from '\.\/([\w-]+)\.ts'/g)) files.add(`${name}.d.ts`);
      const published = text.replaceAll(/( from '\.\/[\w-]+)\.ts'/g, "$1.js'");
      for (const format of Object.keys(FORMATS)) writeFileSync(join(OUT, format, file), published);
    }
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

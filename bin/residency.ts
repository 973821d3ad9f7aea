#!/usr/bin/env node
/** The operator's command line: `npm exec --no -- residency where acme --stage prod`. */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Caches compiled code on disk, which halves the time to the first answer. Where the cache cannot
// be written, nothing else changes.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/residency', import.meta.url)));
const { main } = await import('../lib/operator/main.ts');
process.exitCode = await main(process.argv.slice(2));

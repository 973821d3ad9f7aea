#!/usr/bin/env node
/** The operator's command line: `npm exec --no -- residency where acme --stage prod`. */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Types are stripped, and the SDK is compiled, once: half of the time to the first answer. Where it cannot be kept, nothing is lost.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/residency', import.meta.url)));
const { main } = await import('../lib/operator/main.ts');
process.exitCode = await main(process.argv.slice(2));

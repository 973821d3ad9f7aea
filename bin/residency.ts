#!/usr/bin/env node
/** The operator's command line: `npm exec --no -- residency where acme --stage prod`. */
import { createInterface } from 'node:readline/promises';
import { residencyCommand } from '../lib/operator/program.ts';
import { residency } from '../residency.config.ts';

// Whoever reads only the first lines (`| head`) closes the pipe: what was begun is finished, and nobody sees a stack.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await residencyCommand(process.argv.slice(2), {
  residency,
  print: (text) => process.stdout.write(`${text}\n`),
  complain: (text) => process.stderr.write(`${text}\n`),
  isInteractive: process.stdin.isTTY === true && process.stdout.isTTY === true,
  async ask(question) {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await terminal.question(question);
    } finally {
      terminal.close();
    }
  },
});

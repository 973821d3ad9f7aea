/** Runs the command line in its process: decides on the terminal and its colours. */
import { createInterface } from 'node:readline/promises';
import { residency } from '../../residency.config.ts';
import { keptRealms } from '../kept-context.ts';
import { residencyCommand } from './program.ts';
import { coloured, hasColours, red } from './terminal/colour.ts';
import { screenOn } from './terminal/screen.ts';

/** Resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  // `| head` closes the pipe after its first lines. The command then runs to its end without a
  // stack trace.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  return residencyCommand(args, {
    residency,
    keptRealms: keptRealms(),
    print: (text) => process.stdout.write(`${text}\n`),
    complain: (text) => process.stderr.write(`${hasColours(process.stderr) ? red(text) : text}\n`),
    paint: hasColours(process.stdout) ? coloured : (text) => text,
    isInteractive: process.stdin.isTTY === true && process.stdout.isTTY === true,
    ...(process.stdout.isTTY && { screen: () => screenOn(process.stdout) }),
    async ask(question) {
      const terminal = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return await terminal.question(question);
      } finally {
        terminal.close();
      }
    },
  });
}

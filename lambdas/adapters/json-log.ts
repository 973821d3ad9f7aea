/** Structured log lines on standard output, where Lambda picks them up. */
import type { Log } from '../ports.ts';

type Level = 'info' | 'warn' | 'error';

/** `fixed` stands in every line: the realm, the stage. */
export function jsonLog(
  fixed: Readonly<Record<string, unknown>>,
  write: (line: string) => void = writeLine,
): Log {
  const at = (level: Level) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    write(
      plain(
        JSON.stringify({ level, time: new Date().toISOString(), message, ...fixed, ...fields }),
      ),
    );
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

/** JSON leaves alone what a terminal obeys beyond ASCII, and what turns a line round: these are escaped as well. */
const plain = (line: string): string =>
  line.replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

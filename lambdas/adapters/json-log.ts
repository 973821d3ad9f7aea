/** Writes structured log lines to standard output, where Lambda picks them up. */
import type { Log } from '../ports.ts';

type Level = 'info' | 'warn' | 'error';

/** `fixed` holds fields of every line: the realm, the stage. */
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

/**
 * JSON does not escape the characters beyond ASCII that a terminal obeys or that turn a line
 * around. This does.
 */
const plain = (line: string): string =>
  line.replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

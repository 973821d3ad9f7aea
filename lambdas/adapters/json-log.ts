/** Structured log lines on standard output, where Lambda picks them up. */
import type { Log } from '../ports.ts';

type Level = 'info' | 'warn' | 'error';

/** `fixed` stands in every line: the realm, the stage. */
export function jsonLog(
  fixed: Readonly<Record<string, unknown>>,
  write: (line: string) => void = writeLine,
): Log {
  const at = (level: Level) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    write(JSON.stringify({ level, time: new Date().toISOString(), message, ...fixed, ...fields }));
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

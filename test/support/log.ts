/** A log that keeps its lines. */
import type { Log } from '../../lambdas/ports.ts';

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface CollectedLog extends Log {
  readonly lines: readonly LogLine[];
  /** The messages that call for an operator. */
  alarms(): readonly string[];
}

export function collectedLog(): CollectedLog {
  const lines: LogLine[] = [];
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      lines.push({ level, message, fields: structuredClone(fields) });
    };
  return {
    lines,
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    alarms: () =>
      lines.map(({ message }) => message).filter((message) => message.startsWith('alarm: ')),
  };
}

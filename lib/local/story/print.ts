/**
 * Prints the story: one plain line per event, and a table at its end. Colours on a terminal only.
 */
import { styleText } from 'node:util';

export type Tone = 'plain' | 'good' | 'bad' | 'quiet' | 'heading';

const STYLES = {
  plain: 'reset',
  good: 'green',
  bad: 'red',
  quiet: 'dim',
  heading: 'bold',
} as const;

export interface Teller {
  heading(text: string): void;
  /** Prints what happened, its result on the right, and the seconds since the story began. */
  event(text: string, result?: string, tone?: Tone): void;
  /** Prints a claim with its result. */
  check(holds: boolean, text: string): void;
  table(rows: readonly (readonly string[])[]): void;
  line(text: string, tone?: Tone): void;
}

const EVENT_WIDTH = 62;

export function teller(write: (line: string) => void = console.log): Teller {
  const begun = performance.now();
  const line = (text: string, tone: Tone = 'plain') =>
    write(tone === 'plain' ? text : styled(text, tone));
  return {
    line,
    heading: (text) => {
      line('');
      line(text, 'heading');
    },
    event(text, result = '', tone = 'plain') {
      const seconds = ((performance.now() - begun) / 1000).toFixed(1).padStart(5);
      line(
        `${styled(`${seconds} s`, 'quiet')}  ${text.padEnd(EVENT_WIDTH)} ${styled(result, tone)}`.trimEnd(),
      );
    },
    check: (holds, text) => line(`  ${styled(holds ? '✓' : '✗', holds ? 'good' : 'bad')} ${text}`),
    table(rows) {
      const widths = (rows[0] ?? []).map((_, column) =>
        Math.max(...rows.map((row) => (row[column] ?? '').length)),
      );
      for (const row of rows) {
        line(
          `  ${row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('   ')}`,
        );
      }
    },
  };
}

/** Prints nothing more once `isMuted` returns true. */
export function mutedWhen(isMuted: () => boolean, tell: Teller): Teller {
  const unlessMuted =
    <Said extends unknown[]>(say: (...said: Said) => void) =>
    (...said: Said): void => {
      if (!isMuted()) say(...said);
    };
  return {
    heading: unlessMuted(tell.heading),
    event: unlessMuted(tell.event),
    check: unlessMuted(tell.check),
    table: unlessMuted(tell.table),
    line: unlessMuted(tell.line),
  };
}

const styled = (text: string, tone: Tone): string =>
  tone === 'plain' || text === ''
    ? text
    : styleText(STYLES[tone], text, { stream: process.stdout });

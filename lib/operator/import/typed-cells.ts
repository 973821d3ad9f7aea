/** Cells of databases, made into values: times and truths, as several databases write them. */
import { Problematic } from './framework-rows.ts';

const YES: readonly string[] = ['true', 't', '1', 'yes', 'y', '\u0001', "b'1'"];
const NO: readonly string[] = ['false', 'f', '0', 'no', 'n', '\u0000', "b'0'"];

export function truthIn(text: string, column: string): boolean {
  const word = text.trim().toLowerCase();
  if (YES.includes(word)) return true;
  if (NO.includes(word)) return false;
  throw new Problematic(`${column} is neither true nor false`);
}

/** Before 1973, a number of milliseconds is one of seconds. */
const LEAST_MILLISECONDS = 1e11;

/** Epoch milliseconds, or ISO 8601 with its offset → epoch seconds; 0 where nothing is said. */
export function storedAtOf(value: unknown, column: string): number {
  if (value === undefined || value === null || value === '') return 0;
  const text = String(value).trim();
  const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  const isComplete = /^\d+$/.test(text) || OFFSET.test(text);
  if (!isComplete || Number.isNaN(time) || time < LEAST_MILLISECONDS)
    throw new Problematic(
      `${column} is no time: milliseconds since 1970, or ISO 8601 with an offset`,
    );
  return Math.floor(time / 1000);
}

const OFFSET =
  /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s?(?:Z|[+-]\d{2}(?::?\d{2})?)$/;

/**
 * The same of a column that a database may have written without an offset: hours off, and so not to
 * be relied on.
 */
export const storedAtIfClear = (text: string | undefined, column: string): number =>
  text === undefined || !(OFFSET.test(text.trim()) || /^\d{12,}$/.test(text.trim()))
    ? 0
    : storedAtOf(text, column);

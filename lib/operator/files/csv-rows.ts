/** A CSV file as rows by column, with the line of each. */
import { CsvError, parse } from 'csv-parse/sync';
import { Failure } from '../terminal/failure.ts';

export interface Row {
  /** Number of its first line; the head is in line 1. */
  readonly line: number;
  /**
   * By the name of the column as `columnName` spells it. What is empty, `NULL` or `\N` is absent.
   */
  readonly fields: Readonly<Record<string, string>>;
}

/** `Client Key`, `client_key` and `clientKey` are one column. */
export const columnName = (text: string): string => text.replace(/[\s_-]/g, '').toLowerCase();

/** How databases write that there is nothing. */
const NOTHING: readonly string[] = ['', 'NULL', '\\N'];

export interface CsvFile {
  /** By the spelling of `columnName`, in their order. */
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/**
 * Throws a sentence with a line number, which never quotes the file: not even its head, which may
 * be none.
 */
export function csvRows(text: string, file: string): CsvFile {
  const head: string[] = [];
  const rows = parsed(text, file, head).map(({ record, info }): Row => {
    const values = Object.entries(record);
    const breaks = values.reduce((sum, [, value]) => sum + value.split('\n').length - 1, 0);
    return {
      line: info.lines - breaks,
      fields: Object.fromEntries(values.filter(([, value]) => !NOTHING.includes(value))),
    };
  });
  if (head.length === 0) throw new Failure(`${file} is empty`);
  if (head.length === 1 && /[;\t|]/.test(head[0] ?? ''))
    throw new Failure(`${file} is refused: line 1: its columns are not separated by commas`);
  if (new Set(head).size !== head.length)
    throw new Failure(`${file} is refused: line 1: a column stands there twice`);
  return { columns: head, rows };
}

/** Throws where one of these columns is missing. */
export function needColumns({ columns }: CsvFile, file: string, needed: readonly string[]): void {
  const missing = needed.filter((name) => !columns.includes(columnName(name)));
  if (missing.length > 0)
    throw new Failure(`${file} is refused: line 1: it has no column ${missing.join(', nor ')}`);
}

interface Parsed {
  readonly record: Readonly<Record<string, string>>;
  readonly info: { readonly lines: number };
}

function parsed(text: string, file: string, head: string[]): readonly Parsed[] {
  try {
    // Its types say nothing of `info`.
    return parse(text, {
      bom: true,
      info: true,
      skip_empty_lines: true,
      columns: (names: readonly string[]) => {
        head.push(...names.map(columnName));
        return head;
      },
    }) as unknown as readonly Parsed[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as unknown as { readonly lines?: number };
    throw new Failure(
      `${file} is refused: line ${lines ?? '?'}: ${SAID[error.code] ?? `no CSV (${error.code})`}`,
    );
  }
}

/** By the library's code: its own messages quote what they found. */
const SAID: Readonly<Record<string, string>> = {
  CSV_RECORD_INCONSISTENT_COLUMNS: 'it has not as many fields as line 1 has columns',
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: 'it has not as many fields as line 1 has columns',
  CSV_INVALID_CLOSING_QUOTE: 'something stands behind a closing quote',
  CSV_QUOTE_NOT_CLOSED: 'a quote that was opened is never closed',
  INVALID_OPENING_QUOTE: 'a quote stands in the middle of a field',
};

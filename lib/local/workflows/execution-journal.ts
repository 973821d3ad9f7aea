/**
 * Keeps the names of all executions of one state machine on disk, so that a closed name stays
 * closed after a restart.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { unwritable } from '../unwritable.ts';
import type { ExecutionStatus } from './execution.ts';

/** The first entry of a name opens it, the second closes it. */
export interface JournalEntry {
  readonly name: string;
  readonly status: ExecutionStatus;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly input?: string;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

export interface ExecutionJournal {
  readonly entries: readonly JournalEntry[];
  /** Throws `UnwritableDataDir` where the disk is full, and leaves no partial line behind. */
  append(entry: JournalEntry): void;
}

/** Without a directory it keeps nothing. `warn` gets the number of lines that could not be read. */
export function executionJournal(
  dataDir: string | undefined,
  realm: Realm,
  warn: (message: string) => void = () => undefined,
): ExecutionJournal {
  if (dataDir === undefined) return { entries: [], append: () => undefined };
  const file = join(dataDir, 'executions', `${realm}.jsonl`);
  const write = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw unwritable(dataDir, error) ?? error;
    }
  };
  write(() => mkdirSync(dirname(file), { recursive: true }));
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  // Cuts a partial last line, which a killed host left, so that the next line does not join it.
  let size = bytes.lastIndexOf('\n') + 1;
  if (size < bytes.length) write(() => truncateSync(file, size));
  const lines = bytes.subarray(0, size).toString('utf8').split('\n').slice(0, -1);
  const read = lines.map(entryOf);
  const torn = read.filter((entry) => entry?.isWhole !== true).length;
  if (torn > 0)
    warn(`${file}: ${torn} of ${lines.length} lines are torn, and what they have lost is left out`);

  return {
    entries: read.flatMap((found) => (found ? [found.entry] : [])),
    append(entry) {
      const line = `${JSON.stringify(entry)}\n`;
      try {
        appendFileSync(file, line);
        size += Buffer.byteLength(line);
      } catch (error) {
        truncateSync(file, size);
        throw unwritable(dataDir, error) ?? error;
      }
    },
  };
}

const START = '{"name":';

/**
 * Where a torn line was joined by a later one, the later one can still be read: nothing within an
 * entry looks like its start.
 */
function entryOf(line: string): { entry: JournalEntry; isWhole: boolean } | undefined {
  const whole = parsed(line);
  if (whole) return { entry: whole, isWhole: true };
  const rest = parsed(line.slice(Math.max(0, line.lastIndexOf(START))));
  return rest && { entry: rest, isWhole: false };
}

function parsed(line: string): JournalEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isEntry = (value: unknown): value is JournalEntry =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  typeof value.name === 'string' &&
  'status' in value &&
  STATUSES.some((status) => status === value.status) &&
  'at' in value &&
  typeof value.at === 'number';

const STATUSES: readonly ExecutionStatus[] = [
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
  'TIMED_OUT',
  'ABORTED',
];

/** The names of all executions of one state machine, kept on disk: a closed name stays closed after a restart. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { ExecutionStatus } from './execution.ts';

/** The first entry of a name opens it, the second one closes it. */
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
  append(entry: JournalEntry): void;
}

/** Without a directory, nothing is kept. An unfinished last line, of a host that was killed, is taken away: the next must not join it. */
export function executionJournal(dataDir: string | undefined, realm: Realm): ExecutionJournal {
  if (dataDir === undefined) return { entries: [], append: () => undefined };
  const file = join(dataDir, 'executions', `${realm}.jsonl`);
  mkdirSync(dirname(file), { recursive: true });
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
  if (whole.length < bytes.length) truncateSync(file, whole.length);
  const lines = whole.toString('utf8').split('\n').slice(0, -1);
  return {
    entries: lines.map((line) => JSON.parse(line)).filter(isEntry),
    append: (entry) => appendFileSync(file, `${JSON.stringify(entry)}\n`),
  };
}

const isEntry = (value: unknown): value is JournalEntry =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  'status' in value &&
  'at' in value;

/** The journal of executions after its host was killed in the middle of a line. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { executionJournal } from '../../lib/local/workflows/execution-journal.ts';

const entry = (name: string) => ({ name, status: 'RUNNING', at: 1 }) as const;
let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'journal-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const file = () => join(dataDir, 'executions', 'us.jsonl');
const names = () => executionJournal(dataDir, 'us').entries.map(({ name }) => name);

test('an entry that was cut off anywhere is as if it had never been, and those after it are kept', () => {
  executionJournal(dataDir, 'us').append(entry('first'));
  const whole = readFileSync(file());
  const next = `${JSON.stringify(entry('größer'))}\n`;
  for (let length = 1; length < Buffer.byteLength(next); length += 1) {
    writeFileSync(file(), whole);
    appendFileSync(file(), Buffer.from(next).subarray(0, length));
    const journal = executionJournal(dataDir, 'us');
    expect(journal.entries.map(({ name }) => name)).toEqual(['first']);
    journal.append(entry('after'));
    expect(names()).toEqual(['first', 'after']);
  }
});

test('an entry that was the very first, and cut off, leaves an empty journal', () => {
  executionJournal(dataDir, 'us');
  writeFileSync(file(), '{"name":"fir');
  expect(names()).toEqual([]);
  expect(readFileSync(file(), 'utf8')).toBe('');
});

test('lines that are torn anywhere are left out with a warning, and what was joined to one is kept', () => {
  const journal = executionJournal(dataDir, 'us');
  for (const name of ['first', 'second']) journal.append(entry(name));
  appendFileSync(file(), `{"name":"torn","sta${JSON.stringify(entry('joined'))}\n`);
  appendFileSync(file(), '\u0000\u0000\u0000\n\n{"name":7,"status":"RUNNING","at":1}\nnull\n');
  const warnings: string[] = [];
  const again = executionJournal(dataDir, 'us', (message) => warnings.push(message));
  expect(again.entries.map(({ name }) => name)).toEqual(['first', 'second', 'joined']);
  expect(warnings).toEqual([
    `${file()}: 5 of 7 lines are torn, and what they have lost is left out`,
  ]);
  again.append(entry('last'));
  expect(names()).toEqual(['first', 'second', 'joined', 'last']);
});

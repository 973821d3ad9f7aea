/** Text for a terminal. Every value from a table goes through `printable`. */

import Table from 'cli-table3';
import { withCommas } from '../../../lambdas/domain/operating/with-commas.ts';

/**
 * One line in which everything that a terminal obeys or that turns text around is spelled out:
 * control and format characters, line separators, lone surrogates. Long texts are cut.
 */
export function printable(value: unknown, longest = 300): string {
  const escaped = String(value).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
  const characters = [...escaped];
  return characters.length > longest ? `${characters.slice(0, longest).join('')}…` : escaped;
}

/**
 * JSON that is safe on a terminal: escapes what `printable` spells out, and so reads as the same
 * value. Its only line breaks are those of the layout.
 */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(/(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );

export type Cell = string | number | undefined;

/** Plain columns; numbers are aligned to the right. The first row is the head. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const isNumeric = head.map((_, column) => rows.some((row) => typeof row[column] === 'number'));
  const drawn = new Table({
    head: [...head],
    colAligns: isNumeric.map((numeric) => (numeric ? 'right' : 'left')),
    chars: BARE,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  });
  for (const row of rows) drawn.push(row.map(text));
  return drawn
    .toString()
    .split('\n')
    .map((line) => `  ${line}`.trimEnd())
    .join('\n');
}

const BARE = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '   ',
};

const text = (cell: Cell): string => {
  if (cell === undefined) return '';
  return typeof cell === 'number' ? withCommas(cell) : printable(cell);
};

/** 1,234 B, 12.3 KB, 4.5 MB… */
export function sized(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const amount = bytes / 1024 ** power;
  return `${power === 0 ? amount : amount.toFixed(1)} ${units[power]}`;
}

/** 950 ms, 4.2 s, 3 min 5 s, 2 h 10 min. */
export function lasting(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

/** 2026-11-25 02:03:04Z */
export const moment = (time: string | number): string =>
  new Date(time)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');

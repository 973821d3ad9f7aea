/** The table for people. */
import { type Bar, shown } from './bars.ts';
import type { BundleRow } from './bundles.ts';
import type { Forecast } from './planning.ts';

/** In Markdown, as it stands in the README. */
export function table(bars: readonly Bar[]): string {
  const rows = bars.map(({ group, name, value, unit, bar, isMet, note }) => [
    group,
    note === undefined ? name : `${name} (${note})`,
    shown(value, unit),
    bar,
    isMet ? 'met' : '**not met**',
  ]);
  return markdown(['', 'what', 'measured', 'bar', ''], rows);
}

export const bundleTable = (rows: readonly BundleRow[]): string =>
  markdown(
    ['Lambda', 'clients', 'KB', 'ms to load', 'ms, SDK left to the runtime'],
    rows.map(({ entry, clients, kilobytes, loadMs, externalLoadMs }) => [
      entry,
      String(clients),
      kilobytes.toFixed(0),
      loadMs.toFixed(0),
      externalLoadMs.toFixed(0),
    ]),
  );

export const forecastTable = (forecasts: readonly Forecast[]): string =>
  markdown(
    ['copy, and its limit', 'measured', 'estimated'],
    forecasts.map(({ what, measured, estimated }) => [
      what,
      `${measured.toFixed(1)} s`,
      `${estimated.toFixed(1)} s`,
    ]),
  );

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** The results of a run as Markdown tables. */
import { estimate } from '../lambdas/domain/planning/estimate.ts';
import { fenceAfterAhead } from '../lambdas/domain/planning/window-fit.ts';
import { type Bar, shown } from './bars.ts';
import type { Run } from './bench.ts';
import type { BundleRow } from './bundles.ts';
import type { Forecast } from './planning.ts';

/** The form of `bench/results.json`. */
export interface Results {
  readonly at: string;
  readonly quick: boolean;
  readonly machine: { readonly node: string; readonly processors: number; readonly model: string };
  readonly seconds: number;
  readonly bars: readonly Bar[];
  readonly bundles: readonly BundleRow[];
  readonly forecasts: readonly Forecast[];
  readonly runs: readonly Run[];
}

/** All tables of a run. */
export function report(results: Results): string {
  const { bars, bundles, forecasts } = results;
  return [table(bars), bundleTable(bundles), forecastTable(forecasts), verdict(results)].join(
    '\n\n',
  );
}

export function verdict({ bars, seconds, at, machine }: Results): string {
  const held = bars.filter(({ bar }) => bar !== '');
  const missed = held.filter(({ isMet }) => !isMet).length;
  const { node, processors, model } = machine;
  return `${held.length - missed} of ${held.length} bars met, in ${seconds.toFixed(0)} s on ${at.slice(0, 10)} (Node ${node}, ${processors} processors, ${model}).`;
}

/** The table of the README. */
export function table(bars: readonly Bar[]): string {
  const rows = bars.map(({ group, name, value, unit, bar, isMet, note }) => [
    group,
    note === undefined ? name : `${name} (${note})`,
    shown(value, unit),
    bar,
    verdictOn(bar, isMet),
  ]);
  return markdown(['', 'what', 'measured', 'bar', ''], rows);
}

function verdictOn(bar: string, isMet: boolean): string {
  if (bar === '') return '';
  return isMet ? 'met' : '**not met**';
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
    ['what, and its limit', 'measured', 'estimated'],
    forecasts.map(({ what, measured, estimated }) => [
      what,
      `${measured.toFixed(1)} s`,
      `${estimated.toFixed(1)} s`,
    ]),
  );

const HOURS = 60 * 60;
function duration(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(0)} s`;
  return seconds < 1.5 * HOURS
    ? `${(seconds / 60).toFixed(0)} min`
    : `${(seconds / HOURS).toFixed(1)} h`;
}

/** The planner's forecasts for moves of 1-KB items, from ten thousand to ten million. */
export function growthTable(): string {
  const worlds = [
    [{}, {}],
    [{ shards: 16 }, {}],
    [{ shards: 16 }, { tableUnits: 16_000 }],
  ] as const;
  const rows = [10_000, 100_000, 1_000_000, 10_000_000].map((items) => {
    const found = worlds.map(([part, conditions]) =>
      estimate(items, items * 1024, [part], conditions),
    );
    const offline = found.slice(0, 2).map((planned) => {
      const [whole, ahead] = [planned.seconds, fenceAfterAhead(planned)].map(duration);
      return `${whole}; ${ahead}`;
    });
    return [
      items.toLocaleString('en'),
      ...found.map(
        ({ copySeconds, verifySeconds, limit }) =>
          `${duration(copySeconds)} + ${duration(verifySeconds)} (${limit})`,
      ),
      ...offline,
      `$${(found[0]?.dollars ?? 0).toFixed(2)}`,
    ];
  });
  return markdown(
    [
      'items of 1 KB',
      'one partition key: copy + verification',
      '16 shards, table at 4,000/s',
      '16 shards, table at 16,000/s',
      'site offline, one key; copied ahead',
      'site offline, 16 shards at 4,000/s; copied ahead',
      'cost',
    ],
    rows,
  );
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

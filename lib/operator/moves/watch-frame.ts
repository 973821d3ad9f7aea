/**
 * Pure: the text of `watch` for one look at a migration: status, progress, rate, projected end, and
 * what is left of the window.
 */
import { withCommas } from '../../../lambdas/domain/operating/with-commas.ts';
import { lasting, moment, printable } from '../terminal/print.ts';
import type { PartProgress, Shown } from './show.ts';

/** One look at a migration. */
export interface Look {
  readonly shown: Shown;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Items by part, for the parts that are counted already. */
  readonly totals: ReadonlyMap<string, number>;
  /** Items per second over the last looks; absent at the first look. */
  readonly rate?: number | undefined;
}

const BAR = 30;

/** The lines of a frame, cut to `columns`. */
export function frameOf(look: Look, columns: number): string {
  const { migration, progress, projection } = look.shown;
  const { tenant, id, source, target } = migration;
  const percent = percentOf(look.shown);
  const pace = paceText(look);
  const bar =
    percent === undefined
      ? []
      : [`  ${barText(percent)} ${percent} %${pace === undefined ? '' : `  ${pace}`}`];
  const end = endText(look);
  const lines = [
    `${statusText(look)}`,
    `${tenant} · migration ${id} · ${source} → ${target}`,
    ...bar,
    ...(end === undefined ? [] : [`  ${end}`]),
    ...(projection?.isInTime === false ? ['  ✗ TOO LATE for its window'] : []),
    ...windowLines(look),
    ...progress.map((part) => `  ${partText(part, look)}`),
  ];
  return lines.map((line) => cut(printable(line, 1_000), columns)).join('\n');
}

/** One line for a log. `key` leaves out what changes by the clock alone. */
export function lineOf(look: Look): { readonly text: string; readonly key: string } {
  const { migration, progress } = look.shown;
  const percent = percentOf(look.shown);
  const work = progress
    .map(
      ({ part, work: kind, items, rangesDone, ranges }) =>
        `${kind} ${part} ${withCommas(items)} (${rangesDone}/${ranges})`,
    )
    .join(', ');
  const steady = [
    migration.status,
    migration.halted,
    migration.aheadSays,
    percent === undefined ? undefined : `${percent} %`,
    work,
  ].filter(Boolean);
  const moving = [paceText(look), endText(look), ...windowLines(look).map((line) => line.trim())];
  return {
    key: steady.join(),
    text: `${moment(look.at)}  ${printable([...steady, ...moving].filter(Boolean).join(' · '), 500)}`,
  };
}

function statusText({ shown: { migration, timeline }, at }: Look): string {
  const { status, halted, error, attempt, window, aheadSays } = migration;
  const since = timeline.at(-1)?.at ?? migration.updatedAt;
  const lasts = lasting(Math.max(0, at - Date.parse(since)) / 1000);
  if (halted !== undefined) return `✗ ${status}, HALTED: ${halted}`;
  if (status === 'failed') return `✗ failed: ${error?.reason ?? 'no reason is on record'}`;
  if (status === 'scheduled' && window !== undefined) {
    const wait = Date.parse(window.start) - at;
    const begins = wait > 0 ? `begins in ${lasting(wait / 1000)}` : 'waits for Atlassian’s start';
    return `scheduled: ${begins}${aheadSays === undefined ? '' : `; ${aheadSays}`}`;
  }
  return `${status} for ${lasts}${attempt > 1 ? `, attempt ${attempt}` : ''}`;
}

/** The percentage of a copy by the janitor's formula, of other work by its ranges. */
function percentOf({ projection, progress, migration }: Shown): number | undefined {
  if (projection !== undefined) return Math.floor(projection.fractionDone * 100);
  const ranges = progress.reduce((sum, part) => sum + part.ranges, 0);
  const isIdle = migration.status === 'scheduled' && migration.phase !== 'ahead';
  if (ranges === 0 || isIdle) return undefined;
  return Math.floor((100 * progress.reduce((sum, part) => sum + part.rangesDone, 0)) / ranges);
}

const barText = (percent: number): string => {
  const full = Math.round((BAR * percent) / 100);
  return '█'.repeat(full) + '░'.repeat(BAR - full);
};

const paceText = ({ rate, shown }: Look): string | undefined =>
  rate === undefined || shown.progress.length === 0
    ? undefined
    : `${withCommas(Math.round(rate))} items/s`;

function endText({ shown: { projection, migration } }: Look): string | undefined {
  if (migration.status !== 'copying') return undefined;
  return projection?.endsAt === undefined
    ? 'too early for a projection'
    : `verified about ${moment(projection.endsAt)}`;
}

function windowLines({ shown: { migration }, at }: Look): readonly string[] {
  const { window, status } = migration;
  if (window === undefined || status === 'committed' || status === 'rolled-back') return [];
  const left = Date.parse(window.end) - at;
  return [
    left > 0
      ? `  window ends ${moment(window.end)}, ${lasting(left / 1000)} left`
      : `  window over for ${lasting(-left / 1000)}`,
  ];
}

function partText(part: PartProgress, { totals }: Look): string {
  const { part: name, work, ranges, rangesDone, items, lastError } = part;
  const total = Math.max(items, totals.get(name) ?? 0);
  const of = total > items ? ` of ${withCommas(total)}` : '';
  const error = lastError === undefined ? '' : `  last error: ${lastError}`;
  return `${`${work} ${name}`.padEnd(26)} ${`${rangesDone}/${ranges}`.padStart(7)} ranges  ${withCommas(items)}${of} items${error}`;
}

const cut = (line: string, columns: number): string => {
  const characters = [...line];
  return characters.length <= columns ? line : `${characters.slice(0, columns - 1).join('')}…`;
};

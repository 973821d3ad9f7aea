/** `watch`: one migration, live, until it needs nobody's eyes any more. */
import { setTimeout as pause } from 'node:timers/promises';
import { MultiBar, type SingleBar } from 'cli-progress';
import { isFinal } from '../../lambdas/domain/moving/migration.ts';
import { migrationOf } from './find-migration.ts';
import { type Operator, sizesOf } from './operator.ts';
import { counted, moment, printable } from './print.ts';
import { type PartProgress, type Shown, shownOf, showText } from './show.ts';
import type { Verdict } from './verdict.ts';

export interface WatchOptions {
  /** Seconds between two looks. */
  readonly every: number;
  readonly isTerminal: boolean;
  readonly print: (text: string) => void;
}

/** Ends when the migration does: final, failed, halted, or ready and waiting for Atlassian's commit. */
export async function watch(
  operator: Operator,
  tenant: string,
  id: string | undefined,
  { every, isTerminal, print }: WatchOptions,
): Promise<Verdict> {
  const migration = await migrationOf(operator, tenant, id);
  const sizes = await sizesOf(operator, migration.source, tenant);
  const totals = new Map(sizes.map(({ part, items }) => [part, items]));
  const board = isTerminal ? bars(totals) : lines(print);
  let shown: Shown;
  try {
    for (;;) {
      shown = await shownOf(operator, await migrationOf(operator, tenant, migration.id));
      board.show(shown);
      if (isOver(shown)) break;
      await pause(every * 1000);
    }
  } finally {
    board.stop();
  }
  const { status, halted } = shown.migration;
  return {
    report: shown,
    text: showText(shown),
    isFine: status !== 'failed' && halted === undefined,
  };
}

const isOver = ({ migration: { status, halted } }: Shown): boolean =>
  isFinal({ status }) || ['failed', 'ready-to-commit'].includes(status) || halted !== undefined;

interface Board {
  show(shown: Shown): void;
  stop(): void;
}

/** A bar for each part and work that turns up. */
function bars(totals: ReadonlyMap<string, number>): Board {
  const all = new MultiBar({
    format: '  {what} {bar} {percentage} %  {value}/{total} items  {status}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    barsize: 30,
    stream: process.stderr,
  });
  const known = new Map<string, SingleBar>();
  return {
    show({ progress, migration, projection }) {
      for (const part of progress) {
        const what = `${part.work} ${part.part}`;
        const total = Math.max(totalOf(part, totals), 1);
        const bar = known.get(what) ?? all.create(total, 0);
        known.set(what, bar);
        const done = part.rangesDone === part.ranges ? total : Math.min(part.items, total);
        bar.update(done, {
          what: printable(what).padEnd(28),
          status: printable(projection?.says ?? migration.status),
        });
      }
    },
    stop: () => all.stop(),
  };
}

const totalOf = ({ part, items }: PartProgress, totals: ReadonlyMap<string, number>): number =>
  Math.max(items, totals.get(part) ?? 0);

/** Where nobody sees bars: a line whenever something has changed. */
function lines(print: (text: string) => void): Board {
  let last = '';
  return {
    show({ migration: { status, halted }, progress, projection }) {
      const work = progress
        .map(
          ({ part, work, items, rangesDone, ranges }) =>
            `${work} ${part} ${counted(items)} (${rangesDone}/${ranges})`,
        )
        .join(', ');
      const line = [status, halted, work, projection?.says].filter(Boolean).join(' · ');
      if (line === last) return;
      last = line;
      print(`${moment(Date.now())}  ${printable(line, 400)}`);
    },
    stop: () => {},
  };
}

/** `watch`: shows one migration live, until it needs no operator's attention any more. */
import { setTimeout as pause } from 'node:timers/promises';
import { isFinal, valuesOf } from '../../../lambdas/domain/moving/migration.ts';
import { type Operator, partCountsOf } from '../operator.ts';
import type { Screen } from '../terminal/screen.ts';
import type { Verdict } from '../terminal/verdict.ts';
import { migrationOf } from './find-migration.ts';
import { type Shown, shownOf, showText } from './show.ts';
import { frameOf, type Look, lineOf } from './watch-frame.ts';

export interface WatchOptions {
  /** Seconds between two looks. */
  readonly every: number;
  /** Absent: a line is printed at each change. */
  readonly screen?: Screen | undefined;
  readonly print: (text: string) => void;
}

/** Number of looks over which the rate is averaged. */
const LOOKS = 6;

/**
 * Ends when the migration is final, failed or halted, or when it is ready and waits for Atlassian's
 * commit.
 */
export async function watch(
  operator: Operator,
  tenant: string,
  id: string | undefined,
  { every, screen, print }: WatchOptions,
): Promise<Verdict> {
  const migration = await migrationOf(operator, tenant, id);
  const { id: watched, source } = migration;
  const totals = new Map<string, number>();
  // A large tenant takes minutes to count. Its status is shown meanwhile, and also where it cannot
  // be counted.
  void partCountsOf(operator, source, valuesOf(migration))
    .then((sizes) => {
      for (const { part, items } of sizes) totals.set(part, items);
    })
    .catch(() => undefined);
  const seen: Work[] = [];
  let last = '';
  let shown: Shown;
  try {
    for (;;) {
      shown = await shownOf(operator, await migrationOf(operator, tenant, watched));
      seen.push({ at: operator.clock.now(), items: itemsOf(shown) });
      const look: Look = { shown, totals, at: operator.clock.now(), rate: rateOf(seen) };
      if (screen) screen.draw(frameOf(look, screen.columns()));
      else last = printChange(look, last, print);
      if (isOver(shown)) break;
      await pause(every * 1000);
    }
  } finally {
    screen?.keep();
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

/** Items done at a moment, over all parts and kinds of work. */
interface Work {
  readonly at: number;
  readonly items: number;
}

const itemsOf = ({ progress }: Shown): number =>
  progress.reduce((sum, { items }) => sum + items, 0);

/**
 * Items per second; absent where another kind of work has begun, because its count begins at zero.
 */
function rateOf(seen: readonly Work[]): number | undefined {
  const [now, before] = [seen.at(-1), seen.at(-LOOKS) ?? seen[0]];
  if (now === undefined || before === undefined || now.at <= before.at) return undefined;
  return Math.max(0, (1000 * (now.items - before.items)) / (now.at - before.at));
}

function printChange(look: Look, last: string, print: (text: string) => void): string {
  const { text, key } = lineOf(look);
  if (key !== last) print(text);
  return key;
}

/**
 * `show`: one migration with its timeline, the present work, its projected end, and a link to its
 * execution.
 */

import { executionName } from '../../../lambdas/adapters/execution-name.ts';
import { rangesOf } from '../../../lambdas/domain/datasets/dataset.ts';
import { defined } from '../../../lambdas/domain/defined.ts';
import { aheadText } from '../../../lambdas/domain/moving/ahead-text.ts';
import type { HistoryEntry } from '../../../lambdas/domain/moving/history.ts';
import {
  type Ahead,
  isFinal,
  isNoOp,
  type Migration,
  PHASES_OF,
  realmOfPhase,
  valuesOf,
} from '../../../lambdas/domain/moving/migration.ts';
import type { RangeRecord, Work } from '../../../lambdas/domain/moving/range-record.ts';
import { partitionOf, type Realm } from '../../../lambdas/domain/realm.ts';
import { factsIn, factText, type SettingFact } from '../acting/settings.ts';
import type { Operator } from '../operator.ts';
import { lasting, moment, printable, sized, table } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';
import { migrationOf } from './find-migration.ts';
import { type MigrationRow, rowOf } from './migrations.ts';
import { type ProjectedEnd, projectionOf } from './projected-end.ts';

export interface Shown {
  readonly migration: MigrationRow & {
    readonly window?: { readonly start: string; readonly end: string };
    readonly phase?: string;
    readonly pointOfNoReturn?: string;
    /** What was copied ahead of the window. */
    readonly ahead?: Ahead;
    /** The same, as a sentence. */
    readonly aheadSays?: string;
  };
  readonly timeline: readonly (HistoryEntry & { readonly seconds: number })[];
  /** The present work, or the last that was done. */
  readonly progress: readonly PartProgress[];
  readonly projection?: ProjectedEnd;
  /** The settings of both realms, and of the tenant in them. */
  readonly settings: readonly SettingFact[];
  readonly execution?: Execution;
}

export interface PartProgress {
  readonly part: string;
  readonly realm: Realm;
  readonly work: Work;
  readonly ranges: number;
  readonly rangesDone: number;
  /** Written, deleted or read so far. */
  readonly items: number;
  readonly bytes: number;
  readonly lastError?: string;
}

export interface Execution {
  readonly realm: Realm;
  readonly name: string;
  readonly arn: string;
  readonly console: string;
}

export async function show(
  operator: Operator,
  tenant: string,
  id: string | undefined,
): Promise<Verdict> {
  const shown = await shownOf(operator, await migrationOf(operator, tenant, id));
  const { status, halted } = shown.migration;
  const isLate = shown.projection?.isInTime === false;
  return {
    report: shown,
    text: showText(shown),
    isFine: status !== 'failed' && halted === undefined && !isLate,
  };
}

export async function shownOf(operator: Operator, migration: Migration): Promise<Shown> {
  const { source, target, facts, phase, pointOfNoReturn, ahead } = migration;
  const [entries, inSource, inTarget] = await Promise.all([
    operator.ledger.migrations.history(migration),
    operator.ledger.rangeRecords.list(source, migration),
    operator.ledger.rangeRecords.list(target, migration),
  ]);
  const records = [
    ...inSource.map((record) => ({ realm: source, record })),
    ...(isNoOp(migration) ? [] : inTarget.map((record) => ({ realm: target, record }))),
  ];
  const progress = progressOf(operator, migration, records);
  const projection = await projectionOf(operator, migration, records, entries);
  const execution = await executionOf(operator, migration);
  const settings = await settingsOf(operator, migration);
  return {
    migration: {
      ...rowOf(migration),
      ...(facts && { window: { start: facts.startTime, end: facts.endTime } }),
      ...defined({ phase, pointOfNoReturn, ahead, aheadSays: aheadText(migration) }),
    },
    timeline: timelineOf(entries, isFinal(migration) ? undefined : operator.clock.now()),
    progress,
    ...defined({ projection }),
    settings,
    ...defined({ execution }),
  };
}

async function settingsOf(
  operator: Operator,
  { source, target, tenant }: Migration,
): Promise<readonly SettingFact[]> {
  const found = await Promise.all(
    [...new Set([source, target])].flatMap((realm) => [
      factsIn(operator, realm),
      factsIn(operator, realm, tenant),
    ]),
  );
  return found.flat();
}

/** How long each status lasted: until the next one, or until now. */
export function timelineOf(
  entries: readonly HistoryEntry[],
  now: number | undefined,
): Shown['timeline'] {
  return entries.map((entry, at) => {
    const begun = Date.parse(entry.at);
    const next = entries[at + 1];
    const end = next === undefined ? (now ?? begun) : Date.parse(next.at);
    return { ...entry, seconds: Math.max(0, (end - begun) / 1000) };
  });
}

/** Progress of each part in the present kind of work. */
function progressOf(
  { residency }: Operator,
  migration: Migration,
  records: readonly { readonly realm: Realm; readonly record: RangeRecord }[],
): readonly PartProgress[] {
  const at = realmAtWork(migration);
  return residency.parts.flatMap((part) => {
    const own = records.filter(
      ({ realm, record }) =>
        record.range.startsWith(`${part.name}/`) && (at === undefined || realm === at),
    );
    const works = [...new Set(own.map(({ record }) => record.work))];
    return works.map((work): PartProgress => {
      const ranges = own.filter(({ record }) => record.work === work);
      const sum = (of: (record: RangeRecord) => number) =>
        ranges.reduce((total, { record }) => total + of(record), 0);
      const side = ({ source, target }: RangeRecord) => target ?? source;
      const lastError = ranges.find(({ record }) => record.lastError)?.record.lastError;
      return {
        part: part.name,
        realm: ranges[0]?.realm ?? migration.source,
        work,
        ranges: rangesOf([part], valuesOf(migration)).length,
        rangesDone: ranges.filter(({ record }) => record.done).length,
        items: sum((record) =>
          Math.max(side(record)?.changed ?? 0, side(record)?.digest.items ?? 0),
        ),
        bytes: sum((record) => side(record)?.digest.bytes ?? 0),
        ...defined({ lastError }),
      };
    });
  });
}

const realmAtWork = (migration: Migration): Realm | undefined =>
  migration.phase === undefined ? undefined : realmOfPhase(migration, migration.phase);

/** The execution of the present phase, with its link into the Step Functions console. */
async function executionOf(
  operator: Operator,
  migration: Migration,
): Promise<Execution | undefined> {
  const { phase, status, attempt } = migration;
  if (phase === undefined || !PHASES_OF[status]?.includes(phase)) return undefined;
  const realm = realmOfPhase(migration, phase);
  const region = operator.region(realm);
  const name = executionName({ ...migration, realm, phase, attempt });
  const { stateMachine } = operator.names(realm);
  const partition = partitionOf(region);
  const arn = `arn:${partition.name}:states:${region}:${await operator.account()}:execution:${stateMachine}:${name}`;
  const console = `https://${region}.${partition.console}/states/home?region=${region}#/v2/executions/details/${encodeURIComponent(arn)}`;
  return { realm, name, arn, console };
}

/** Pure: the text for a terminal. */
export function showText(shown: Shown): string {
  const { migration, timeline, progress, projection, execution, settings } = shown;
  const { tenant, id, source, target, status, phase, attempt, window, error, halted } = migration;
  const { lastFailure, aheadSays } = migration;
  const facts: [string, string][] = [
    ['tenant', tenant],
    ['from, to', `${source} → ${target}`],
    ['status', status],
    ...(window
      ? [['window', `${moment(window.start)} to ${moment(window.end)}`] as [string, string]]
      : []),
    ...(attempt > 0 ? [['attempt', `${attempt} of phase ${phase}`] as [string, string]] : []),
    ...(aheadSays === undefined ? [] : [['ahead', aheadSays] as [string, string]]),
    ...(error ? [['error', `${error.code}: ${error.reason}`] as [string, string]] : []),
    ...(halted === undefined ? [] : [['halted', halted] as [string, string]]),
    ...(lastFailure === undefined ? [] : [['last end', lastFailure] as [string, string]]),
  ];
  const blocks = [
    `Migration ${printable(id)}`,
    facts.map(([name, value]) => `  ${name.padEnd(10)} ${printable(value)}`).join('\n'),
    table(
      ['at', 'status', 'lasted', 'by', ''],
      timeline.map(({ at, status: to, seconds, actor, error: why, attempt: next }, index) => [
        moment(at),
        to,
        index === timeline.length - 1 && isEnd(to) ? '' : lasting(seconds),
        printable(actor, 60),
        next === undefined ? printable(why?.reason ?? '', 200) : `attempt ${next}`,
      ]),
    ),
  ];
  if (progress.length > 0) blocks.push(progressText(progress));
  if (projection) blocks.push(`  ${printable(projection.says)}`);
  if (settings.length > 0)
    blocks.push(settings.map((fact) => `  set: ${factText(fact)}`).join('\n'));
  if (execution)
    blocks.push(`  execution in ${execution.realm}: ${execution.name}\n  ${execution.console}`);
  return blocks.join('\n\n');
}

const isEnd = (status: string): boolean => status === 'committed' || status === 'rolled-back';

const progressText = (progress: readonly PartProgress[]): string =>
  table(
    ['part', 'in', 'work', 'ranges', 'items', 'size', ''],
    progress.map(({ part, realm, work, ranges, rangesDone, items, bytes, lastError }) => [
      part,
      realm,
      work,
      `${rangesDone}/${ranges}`,
      items,
      bytes === 0 ? '' : sized(bytes),
      lastError === undefined ? '' : `last error: ${printable(lastError, 200)}`,
    ]),
  );

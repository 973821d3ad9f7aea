/**
 * DATA: every metric, with the one dimension that it may have. A tenant or a migration never is
 * one.
 */

import type { Migration, Status } from '../moving/migration.ts';
import type { RefusalCode } from '../refusal.ts';
import { MINUTE_MS } from '../time.ts';

/** Beside service, stage and realm, which every metric has. */
export type Dimension = 'status' | 'hook' | 'code';

interface MetricRow {
  /** As CloudWatch spells it; it has none for minutes. */
  readonly unit: 'Count' | 'Bytes' | 'Milliseconds' | 'None';
  readonly by?: Dimension;
}

export const METRICS = {
  /** Changes of status, by the new status. */
  Moves: { unit: 'Count', by: 'status' },
  /** What a turn has copied. The rate is the sum over a period, divided by its length. */
  CopiedItems: { unit: 'Count' },
  CopiedBytes: { unit: 'Bytes' },
  /** What a turn has copied ahead of a window, while the source serves. */
  CopiedAheadItems: { unit: 'Count' },
  /** Executions of phase ahead that failed after another of the same migration had. */
  AheadFailures: { unit: 'Count' },
  /** Writes to a dataset that DynamoDB took only at a later try. */
  Throttles: { unit: 'Count' },
  /**
   * Ranges that are not the same in both realms, and sources that have changed since they were
   * verified.
   */
  VerifyMismatches: { unit: 'Count' },
  /**
   * Minutes until the end of the window, at each turn of a copy and each change of status before
   * the commit.
   */
  WindowMinutesLeft: { unit: 'None' },
  /**
   * Minutes by which the copy is expected to outlast the window; 0 where it is not. Recorded from
   * minute 10 on.
   */
  MinutesBeyondWindow: { unit: 'None' },
  /** Migrations that do not go on by themselves, at each run of the janitor that finds one. */
  StuckMigrations: { unit: 'Count' },
  /**
   * Log lines that begin with `alarm:`. A function writes one where an operator has to mend
   * something.
   */
  Alarms: { unit: 'Count' },
  HookLatency: { unit: 'Milliseconds', by: 'hook' },
  Refusals: { unit: 'Count', by: 'code' },
  /** Answers 503, after which Atlassian asks again. */
  Faults: { unit: 'Count', by: 'hook' },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof METRICS;

export const HOOKS = [
  'installed',
  'uninstalled',
  'schedule',
  'start',
  'status',
  'commit',
  'rollback',
] as const;

/** The values of each dimension: closed lists, so that no tenant's name becomes one. */
interface Words {
  readonly status: Status;
  readonly hook: (typeof HOOKS)[number] | 'other';
  readonly code: RefusalCode | 'unauthenticated' | 'none';
}

/** The rest of the arguments of `record`: the value, where the metric has a dimension. */
export type WordOf<N extends MetricName> = (typeof METRICS)[N] extends { readonly by: infer By }
  ? readonly [word: Words[By & Dimension]]
  : readonly [];

/** `POST /dare-migration/start` → `start`; a route that is no hook of Atlassian is `other`. */
export const hookOf = (routeKey: string): Words['hook'] =>
  HOOKS.find((hook) => routeKey.endsWith(`/${hook}`)) ?? 'other';

/** Negative when the window is over; `undefined` where the site does not wait for the migration. */
export function windowMinutesLeft(
  { status, facts }: Pick<Migration, 'status' | 'facts'>,
  now: number,
): number | undefined {
  const isWaitedFor = status === 'copying' || status === 'ready-to-commit' || status === 'failed';
  if (!isWaitedFor || facts === undefined) return undefined;
  return (Date.parse(facts.endTime) - now) / MINUTE_MS;
}

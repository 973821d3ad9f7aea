/** DATA: every number that operators see, and the one word that may single it out. A tenant or a migration never does. */
import type { Migration, Status } from '../moving/migration.ts';
import type { RefusalCode } from '../refusal.ts';

/** Beside service, stage and realm, which every metric has. */
export type Dimension = 'status' | 'hook' | 'code';

interface MetricRow {
  /** As CloudWatch spells it; it has none for minutes. */
  readonly unit: 'Count' | 'Bytes' | 'Milliseconds' | 'None';
  readonly by?: Dimension;
}

export const METRICS = {
  /** Changes of status, by the status that was come to. */
  Moves: { unit: 'Count', by: 'status' },
  /** What a turn has copied; per second it is the sum over the length of a period. */
  CopiedItems: { unit: 'Count' },
  CopiedBytes: { unit: 'Bytes' },
  /** Writes to a dataset that DynamoDB took only at a later try. */
  Throttles: { unit: 'Count' },
  /** Ranges that are not the same in both realms, and sources that are no longer what was verified. */
  VerifyMismatches: { unit: 'Count' },
  /** Until the end of the window, at each turn of a copy and each change of status before the commit. */
  WindowMinutesLeft: { unit: 'None' },
  /** By which the copy is expected to outlast the window; 0 when it is not. Said from minute 10 on. */
  MinutesBeyondWindow: { unit: 'None' },
  /** Migrations that do not go on by themselves, at each run of the janitor that finds one. */
  StuckMigrations: { unit: 'Count' },
  /** Lines of the log that begin with `alarm:`, each said by whoever has met what nobody else will mend. */
  Alarms: { unit: 'Count' },
  HookLatency: { unit: 'Milliseconds', by: 'hook' },
  Refusals: { unit: 'Count', by: 'code' },
  /** Answers 503: Atlassian asks again. */
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

/** What a metric may be singled out by: closed lists, so that nobody's name can become one. */
interface Words {
  readonly status: Status;
  readonly hook: (typeof HOOKS)[number] | 'other';
  readonly code: RefusalCode | 'unauthenticated' | 'none';
}

/** The rest of the arguments of `record`: the word, where the metric has a dimension. */
export type WordOf<N extends MetricName> = (typeof METRICS)[N] extends { readonly by: infer By }
  ? readonly [word: Words[By & Dimension]]
  : readonly [];

/** `POST /dare-migration/start` → `start`; what is none of Atlassian's hooks is `other`. */
export const hookOf = (routeKey: string): Words['hook'] =>
  HOOKS.find((hook) => routeKey.endsWith(`/${hook}`)) ?? 'other';

/** Negative when the window is over; `undefined` where the site does not wait for the migration. */
export function windowMinutesLeft(
  { status, facts }: Pick<Migration, 'status' | 'facts'>,
  now: number,
): number | undefined {
  const isWaitedFor = status === 'copying' || status === 'ready-to-commit' || status === 'failed';
  if (!isWaitedFor || facts === undefined) return undefined;
  return (Date.parse(facts.endTime) - now) / 60_000;
}

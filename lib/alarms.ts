/**
 * DATA: the alarms of a realm: what each one means, and what the operator does first.
 * `docs/runbook.md` has the steps that follow.
 */
import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { MetricName } from '../lambdas/domain/operating/metric.ts';
import type { Realm } from '../lambdas/domain/realm.ts';
import type { Deployment } from './deployment.ts';

/** The metrics that alarms use beside those that the functions write themselves. */
export interface Watched {
  readonly deployment: Deployment;
  readonly lambdaOf: (entry: string) => IFunction;
  /**
   * Name of the EventBridge rule that matches executions which failed, timed out or were aborted.
   */
  readonly failureRule: string;
  /** Counts the 5xx answers to Atlassian's hooks. */
  readonly hookErrors: Metric;
  readonly deadLetters: IQueue;
}

export interface AlarmRow {
  readonly word: string;
  readonly means: string;
  readonly first: string;
  /** Heading in `docs/runbook.md`; `word` where it is left out. */
  readonly anchor?: string;
  readonly metric: (watched: Watched) => Metric;
  /** The alarm goes off at this value or above; 1 where it is left out. */
  readonly threshold?: number;
  /** `bad` of the last `periods` must be at the threshold; one of one where it is left out. */
  readonly of?: { readonly bad: number; readonly periods: number };
  /** A period without data counts as bad. */
  readonly missingIsBad?: true;
  /**
   * The alarm also sends a message when it ends. Left out where the alarm reports a moment, whose
   * end says nothing.
   */
  readonly saysWhenOver?: true;
}

const FIVE_MINUTES = Duration.minutes(5);
const SUM = { statistic: 'Sum', period: FIVE_MINUTES };

export const ALARMS: readonly AlarmRow[] = [
  {
    word: 'failed-execution',
    means: 'A workflow failed, timed out or was aborted.',
    first:
      'Look whether the migration is on its next attempt already: then there is nothing to do.',
    metric: ({ failureRule }) =>
      new Metric({
        namespace: 'AWS/Events',
        metricName: 'TriggeredRules',
        dimensionsMap: { RuleName: failureRule },
        ...SUM,
      }),
  },
  {
    word: 'verify-mismatch',
    means: 'A copy differs from its source, or a source has changed after it was verified.',
    first:
      'Nothing is lost, and both sides are kept: before you try anything again, find the writer that does not ask the guard.',
    metric: (watched) => measured(watched.deployment, 'VerifyMismatches', 'Sum'),
  },
  {
    word: 'ahead-fails',
    means: 'Copying ahead of a window has failed twice for one migration.',
    first:
      'Nothing is offline: see whether its window suffices for the whole copy, mend the cause, and copy ahead again.',
    metric: (watched) => measured(watched.deployment, 'AheadFailures', 'Sum'),
  },
  {
    word: 'projected-end',
    means: 'A copy is expected to outlast the window of its migration.',
    first:
      'Look how much is left and whether a rate limit is too low; else cancel in time for the site to come back within its window.',
    metric: (watched) => measured(watched.deployment, 'MinutesBeyondWindow', 'Maximum'),
    saysWhenOver: true,
  },
  {
    word: 'stuck',
    means: 'A migration does not end by itself: it is halted, or fails again and again.',
    first: 'Find it: the log of the janitor names it in a line with "alarm:".',
    metric: (watched) => measured(watched.deployment, 'StuckMigrations', 'Maximum'),
    // The janitor does not run at the same second of each period, and a single error may go away by
    // itself.
    of: { bad: 2, periods: 3 },
    saysWhenOver: true,
  },
  {
    word: 'janitor',
    means: 'For a quarter of an hour, the janitor has not run or has failed.',
    first:
      'Invoke it by hand and read its answer: until it runs, no interrupted migration goes on.',
    // The share of runs that failed. Without a run there is no value.
    metric: ({ lambdaOf }) =>
      lambdaOf('tasks/janitor').metricErrors({ statistic: 'Average', period: FIVE_MINUTES }),
    of: { bad: 3, periods: 3 },
    missingIsBad: true,
    saysWhenOver: true,
  },
  {
    word: 'purge-retired',
    means: 'For three hours, purge-retired has not run or has failed.',
    first:
      'Read the log of purge-retired: nothing is lost, but data of retired tenants stays until it runs.',
    metric: ({ lambdaOf }) =>
      lambdaOf('tasks/purge-retired').metricErrors({
        statistic: 'Average',
        period: Duration.hours(1),
      }),
    of: { bad: 3, periods: 3 },
    missingIsBad: true,
    saysWhenOver: true,
  },
  {
    word: 'alarm-line',
    means:
      'A function met a state that it cannot mend, and logged a line that begins with "alarm:".',
    first:
      'Find the line by the saved query "alarms"; if another alarm is on too, begin with that one.',
    metric: (watched) => measured(watched.deployment, 'Alarms', 'Sum'),
  },
  {
    word: 'hooks-5xx',
    means: 'Hooks were answered 5xx three times within a quarter of an hour.',
    first: 'Look which hook failed and why: after three tries Atlassian gives a move up.',
    metric: ({ hookErrors }) => hookErrors.with({ statistic: 'Sum', period: Duration.minutes(15) }),
    threshold: 3,
    saysWhenOver: true,
  },
  {
    word: 'settle-fails',
    means: 'The failure of a workflow could not be written into the ledger.',
    first: 'Wait for ten minutes: the function is tried again, and the janitor finds what is left.',
    metric: ({ lambdaOf }) => lambdaOf('tasks/settle').metricErrors(SUM),
  },
  {
    word: 'dlq',
    means: 'EventBridge gave an event up: it is in the dead-letter queue.',
    first: 'Read the event, look whether the ledger has moved on without it, and delete the event.',
    metric: ({ deadLetters }) =>
      deadLetters.metricApproximateNumberOfMessagesVisible({
        statistic: 'Maximum',
        period: FIVE_MINUTES,
      }),
    saysWhenOver: true,
  },
];

export const runbookOf = ({ word, anchor = word }: AlarmRow): string => `docs/runbook.md#${anchor}`;

/**
 * The text of the alarm's message, at most 1,024 characters: the meaning, the first action, and
 * where to read on.
 */
export const descriptionOf = (row: AlarmRow): string =>
  `${row.means} First: ${row.first} Runbook: ${runbookOf(row)}`;

/** A metric that the functions of this realm write, without a dimension of its own. */
export function measured(
  deployment: Pick<Deployment, 'residency' | 'stage' | 'realm'>,
  name: MetricName,
  statistic: 'Sum' | 'Maximum' | 'Minimum',
): Metric {
  return measuredIn(deployment, deployment.realm, name, { statistic });
}

export interface MeasuredOptions {
  readonly statistic: string;
  readonly region?: string;
  readonly label?: string;
  /** The dimension that the metric has beside service, stage and realm. */
  readonly by?: Readonly<Record<string, string>>;
}

export function measuredIn(
  { residency, stage }: Pick<Deployment, 'residency' | 'stage'>,
  realm: Realm,
  name: MetricName,
  { by = {}, ...options }: MeasuredOptions,
): Metric {
  return new Metric({
    namespace: residency.name,
    metricName: name,
    dimensionsMap: { service: residency.name, stage, realm, ...by },
    period: FIVE_MINUTES,
    ...options,
  });
}

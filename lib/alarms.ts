/** DATA: what an operator is woken for, what it means, and what to do first. `docs/runbook.md` says what comes after that. */
import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { MetricName } from '../lambdas/domain/operating/metric.ts';
import type { Realm } from '../lambdas/domain/realm.ts';
import type { Deployment } from './deployment.ts';

/** What alarms look at, beside the metrics that the functions write themselves. */
export interface Watched {
  readonly deployment: Deployment;
  readonly lambdaOf: (entry: string) => IFunction;
  /** Name of the rule that hears of executions that ended badly. */
  readonly badEnds: string;
  /** Answers 5xx to Atlassian's hooks. */
  readonly hookErrors: Metric;
  readonly deadLetters: IQueue;
}

export interface AlarmRow {
  readonly word: string;
  readonly means: string;
  readonly first: string;
  /** Heading in `docs/runbook.md`, unless it is the word. */
  readonly anchor?: string;
  readonly metric: (watched: Watched) => Metric;
  /** At least so much; 1 unless said. */
  readonly threshold?: number;
  /** So many of so many periods in a row; one of one unless said. */
  readonly of?: { readonly bad: number; readonly periods: number };
  /** No news is bad news. */
  readonly missingIsBad?: true;
  /** Also says when it is over. Where an alarm is about a moment, its end says nothing. */
  readonly saysWhenOver?: true;
}

const FIVE_MINUTES = Duration.minutes(5);
const SUM = { statistic: 'Sum', period: FIVE_MINUTES };

export const ALARMS: readonly AlarmRow[] = [
  {
    word: 'bad-end',
    means: 'A workflow failed, timed out or was aborted.',
    first:
      'Look whether the migration is on its next attempt already: then there is nothing to do.',
    metric: ({ badEnds }) =>
      new Metric({
        namespace: 'AWS/Events',
        metricName: 'TriggeredRules',
        dimensionsMap: { RuleName: badEnds },
        ...SUM,
      }),
  },
  {
    word: 'verify-mismatch',
    means: 'A copy is not equal to its source, or a source has changed after it was verified.',
    first:
      'Nothing is lost, and both sides are kept: find who writes past the guard before anything is tried again.',
    metric: (watched) => measured(watched.deployment, 'VerifyMismatches', 'Sum'),
  },
  {
    word: 'projected-end',
    means: 'A copy is expected to outlast the window of its migration.',
    first:
      'Look how much is left and whether a rate limit is set too low; else cancel in time for the site to come back.',
    metric: (watched) => measured(watched.deployment, 'MinutesBeyondWindow', 'Maximum'),
    saysWhenOver: true,
  },
  {
    word: 'stuck',
    means: 'A migration does not come to an end by itself: it is halted, or fails again and again.',
    first: 'Find it: the log of the janitor names it in a line with "alarm:".',
    metric: (watched) => measured(watched.deployment, 'StuckMigrations', 'Maximum'),
    // The janitor does not come at the same second of each period, and one error may be a passing one.
    of: { bad: 2, periods: 3 },
    saysWhenOver: true,
  },
  {
    word: 'janitor',
    means: 'The janitor has not run, or has failed, for a quarter of an hour.',
    first:
      'Call it by hand and read its answer: until it runs, nothing that was left behind goes on.',
    // The share of its runs that failed; without a run, there is no value.
    metric: ({ lambdaOf }) =>
      lambdaOf('tasks/janitor').metricErrors({ statistic: 'Average', period: FIVE_MINUTES }),
    of: { bad: 3, periods: 3 },
    missingIsBad: true,
    saysWhenOver: true,
  },
  {
    word: 'purge-retired',
    means: 'What retired tenants left behind has not been looked at, or in vain, for three hours.',
    first:
      'Read the log of purge-retired: nothing is lost, but data that is due stays until it runs.',
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
    means: 'A function has met what it cannot mend, and says so in a line with "alarm:".',
    first:
      'Find the line by the saved query "alarms"; if another alarm speaks too, begin with that one.',
    metric: (watched) => measured(watched.deployment, 'Alarms', 'Sum'),
  },
  {
    word: 'hooks-5xx',
    means: 'Hooks were answered 5xx three times within a quarter of an hour.',
    first: 'Look which hook and why: after three tries Atlassian gives a move up.',
    metric: ({ hookErrors }) => hookErrors.with({ statistic: 'Sum', period: Duration.minutes(15) }),
    threshold: 3,
    saysWhenOver: true,
  },
  {
    word: 'settle-fails',
    means: 'The bad end of a workflow could not be written into the ledger.',
    first: 'Nothing, for ten minutes: it is tried again, and the janitor finds what is left.',
    metric: ({ lambdaOf }) => lambdaOf('tasks/settle').metricErrors(SUM),
  },
  {
    word: 'dlq',
    means: 'An event was given up: it is in the dead-letter queue.',
    first: 'Read the event, look whether the ledger has moved on without it, and delete it.',
    metric: ({ deadLetters }) =>
      deadLetters.metricApproximateNumberOfMessagesVisible({
        statistic: 'Maximum',
        period: FIVE_MINUTES,
      }),
    saysWhenOver: true,
  },
];

export const runbookOf = ({ word, anchor = word }: AlarmRow): string => `docs/runbook.md#${anchor}`;

/** In a message at 03:00: what it is, where to read on, what to do first. At most 1,024 characters. */
export const descriptionOf = (row: AlarmRow): string =>
  `${row.means} First: ${row.first} Runbook: ${runbookOf(row)}`;

/** One that the functions of a realm write, without a dimension of its own. */
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

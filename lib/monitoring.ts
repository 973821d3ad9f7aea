/** What an operator is woken for: a workflow that ended badly, and a backstop that does not work. */
import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';

export interface MonitoringProps {
  readonly deployment: Deployment;
  readonly stateMachine: StateMachine;
  readonly settle: IFunction;
  readonly janitor: IFunction;
}

const PERIOD = { period: Duration.minutes(5), statistic: 'Sum' };

export class Monitoring extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { deployment, stateMachine, settle, janitor }: MonitoringProps,
  ) {
    super(scope, id);
    const alarm = (word: string, alarmDescription: string, metric: IMetric, periods = 1) =>
      new Alarm(this, word, {
        alarmName: `${deployment.names.prefix}-${word}`,
        alarmDescription,
        metric,
        threshold: 1,
        evaluationPeriods: periods,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });

    alarm(
      'bad-end',
      'A workflow failed, timed out or was aborted. The ledger says of which migration and why.',
      new MathExpression({
        expression: 'failed + timedOut + aborted',
        period: PERIOD.period,
        usingMetrics: {
          failed: stateMachine.metricFailed(PERIOD),
          timedOut: stateMachine.metricTimedOut(PERIOD),
          aborted: stateMachine.metricAborted(PERIOD),
        },
      }),
    );
    alarm(
      'settle-fails',
      'Bad ends of workflows are not written into the ledger.',
      settle.metricErrors(PERIOD),
    );
    alarm(
      'janitor-fails',
      'The janitor has failed three times in a row.',
      janitor.metricErrors(PERIOD),
      3,
    );
  }
}

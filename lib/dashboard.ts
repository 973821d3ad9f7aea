/** One dashboard for all realms of a stage, because a move is in two realms. */
import {
  Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  type Metric,
  PeriodOverride,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { MetricName } from '../lambdas/domain/operating/metric.ts';
import { type RealmRow, stackRows } from '../lambdas/domain/realm.ts';
import { physicalNames } from '../lambdas/domain/residency.ts';
import { ALARMS, type MeasuredOptions, measuredIn } from './alarms.ts';
import { inAscii } from './ascii.ts';
import { arnOf, type Deployment, dashboardName } from './deployment.ts';
import { hookErrorsOf } from './hook-errors.ts';

export interface FleetDashboardProps {
  readonly deployment: Deployment;
}

const WIDTH = 12;
const FULL = 24;
/** The statuses that the dashboard shows. CloudWatch has the others too. */
const SHOWN = ['scheduled', 'committed', 'failed', 'rolled-back'] as const;

/** Fifty metrics at five realms: the largest dashboard that CloudWatch's free allowance has. */
export class FleetDashboard extends Construct {
  constructor(scope: Construct, id: string, { deployment }: FleetDashboardProps) {
    super(scope, id);
    const { residency, stage } = deployment;
    const rows = stackRows(residency.realms);
    const each = (name: MetricName, options: MeasuredOptions): Metric[] =>
      rows.map(({ realm, region }) =>
        measuredIn(deployment, realm, name, { region, label: realm, ...options }),
      );

    const dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: dashboardName(residency, stage),
      periodOverride: PeriodOverride.AUTO,
    });
    dashboard.addWidgets(
      new TextWidget({
        width: FULL,
        height: 2,
        markdown: `# ${inAscii(residency.app.name)}: all realms of ${stage}\nWhat each alarm means and what to do first: **docs/runbook.md**. Whose move it is: the saved query \`${residency.name}-${stage}-{realm}/one migration\`.`,
      }),
    );
    // One widget per realm: a widget holds a hundred alarms, and eleven realms have more.
    dashboard.addWidgets(
      ...rows.map(
        (row) =>
          new AlarmStatusWidget({
            title: `Alarms of ${row.realm}`,
            width: WIDTH,
            height: 4,
            alarms: this.alarmsOf(deployment, row),
          }),
      ),
    );
    const graph = (title: string, left: IMetric[]) =>
      new GraphWidget({ title, width: WIDTH, height: 6, left });
    dashboard.addWidgets(
      graph(
        'Moves',
        SHOWN.flatMap((status) =>
          rows.map(({ realm, region }) =>
            measuredIn(deployment, realm, 'Moves', {
              statistic: 'Sum',
              region,
              label: `${realm} ${status}`,
              by: { status },
            }),
          ),
        ),
      ),
      graph('Minutes left in the window', each('WindowMinutesLeft', { statistic: 'Minimum' })),
    );
    dashboard.addWidgets(
      graph('Items per second', each('CopiedItems', { statistic: 'Sum' }).map(perSecond)),
      graph('Bytes per second', each('CopiedBytes', { statistic: 'Sum' }).map(perSecond)),
    );
    dashboard.addWidgets(
      graph('Throttled writes', each('Throttles', { statistic: 'Sum' })),
      graph(
        'Hooks answered 5xx',
        rows.map((row) =>
          hookErrorsOf(residency, stage, row.realm).with({ region: row.region, label: row.realm }),
        ),
      ),
    );
    dashboard.addWidgets(
      graph('Start hook, milliseconds at p95', [
        ...each('HookLatency', { statistic: 'p95', by: { hook: 'start' } }),
      ]),
    );
  }

  private alarmsOf({ residency, stage }: Deployment, { realm, region }: RealmRow) {
    const { prefix } = physicalNames(residency, stage, realm);
    return ALARMS.map(({ word }) =>
      Alarm.fromAlarmArn(
        this,
        `${realm}-${word}`,
        arnOf(region, 'cloudwatch', `alarm:${prefix}-${word}`),
      ),
    );
  }
}

function perSecond(sum: Metric): MathExpression {
  return new MathExpression({
    expression: `${idOf(sum)} / PERIOD(${idOf(sum)})`,
    usingMetrics: { [idOf(sum)]: sum },
    label: sum.label ?? '',
  });
}

/** Unique within a widget. */
const idOf = ({ label }: Metric): string => `m_${label}`;

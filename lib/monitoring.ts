/**
 * What operators are shown: alarms that send to a topic, saved queries, and one dashboard of all
 * realms.
 */
import { Aws } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, UrlSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { ALARMS, type AlarmRow, descriptionOf, type Watched } from './alarms.ts';
import { FleetDashboard } from './dashboard.ts';
import { alarmArn, alarmTopicName, type Deployment } from './deployment.ts';
import { type RealmLogs, SavedQueries } from './queries.ts';

export interface MonitoringProps extends Watched {
  /** The key of the realm. Its policy lets CloudWatch encrypt messages of this topic. */
  readonly key: IKey;
  readonly logs: RealmLogs;
}

export class Monitoring extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { key, logs, ...watched }: MonitoringProps) {
    super(scope, id);
    const { deployment } = watched;
    this.topic = this.alarmTopic(deployment, key);
    for (const row of ALARMS) this.alarm(row, watched);
    new SavedQueries(this, 'Queries', { deployment, logs });
    const { residency, realm, stage } = deployment;
    // The dashboard covers all realms, so only the default realm's stack has it.
    if (stage === 'prod' && realm === residency.defaultRealm) {
      new FleetDashboard(this, 'Fleet', { deployment });
    }
  }

  private alarm(row: AlarmRow, watched: Watched): void {
    const { bad, periods } = row.of ?? { bad: 1, periods: 1 };
    const alarm = new Alarm(this, row.word, {
      alarmName: `${watched.deployment.names.prefix}-${row.word}`,
      alarmDescription: descriptionOf(row),
      metric: row.metric(watched),
      threshold: row.threshold ?? 1,
      evaluationPeriods: periods,
      datapointsToAlarm: bad,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: row.missingIsBad
        ? TreatMissingData.BREACHING
        : TreatMissingData.NOT_BREACHING,
    });
    const tell = new SnsAction(this.topic);
    alarm.addAlarmAction(tell);
    if (row.saysWhenOver) alarm.addOkAction(tell);
  }

  private alarmTopic(deployment: Deployment, key: IKey): Topic {
    const { email, url } = deployment.alarmsTo;
    const topic = new Topic(this, 'Topic', {
      topicName: alarmTopicName(deployment),
      displayName: deployment.names.prefix,
      masterKey: key,
      enforceSSL: true,
    });
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisRealm',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          ArnLike: { 'aws:SourceArn': alarmArn(deployment, '*') },
        },
      }),
    );
    if (email !== undefined) topic.addSubscription(new EmailSubscription(email));
    if (url !== undefined) topic.addSubscription(new UrlSubscription(url));
    return topic;
  }
}

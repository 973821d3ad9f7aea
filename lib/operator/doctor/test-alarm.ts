/**
 * Raises one alarm of a realm, so that its subscribers can say whether they heard of it.
 * WRITES.
 */
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { TEST_ALARM } from '../../saved-queries.ts';
import type { Operator } from '../operator.ts';
import { bad, type Found, fine } from './check.ts';

export async function testAlarm(
  { actor, clients, names }: Pick<Operator, 'actor' | 'clients' | 'names'>,
  realm: Realm,
): Promise<Found> {
  const name = `${names(realm).prefix}-${TEST_ALARM}`;
  const client = clients.others('cloudwatch', (config) => new CloudWatchClient(config))(realm);
  const { MetricAlarms: [alarm] = [] } = await client.send(
    new DescribeAlarmsCommand({ AlarmNames: [name] }),
  );
  if (alarm === undefined) return bad(`there is no alarm ${name}`, 'deploy the realm');
  if (alarm.ActionsEnabled !== true || (alarm.AlarmActions ?? []).length === 0)
    return bad(`the alarm ${name} tells nobody`, 'deploy the realm again: it has its topic then');
  if (alarm.StateValue === 'ALARM')
    return bad(
      `the alarm ${name} is raised already, and not by this test`,
      `see docs/runbook.md#${TEST_ALARM}; test it when it is over`,
    );
  await client.send(
    new SetAlarmStateCommand({
      AlarmName: name,
      StateValue: 'ALARM',
      StateReason: `A test by ${await actor()}: nothing is wrong.`,
    }),
  );
  return fine(
    `raised ${name}: whoever is subscribed hears of it within a minute; it ends by itself`,
  );
}

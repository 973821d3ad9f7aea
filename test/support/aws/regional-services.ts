/** Answers of the services that every region has of its own. */
import { ACCOUNT, type Region } from './account.ts';
import {
  type Answer,
  type Asked,
  AwsError,
  inputOf,
  isRecord,
  jsonOf,
  queryAnswer,
} from './formats.ts';

export async function regionalAnswer(
  region: Region,
  asked: Asked,
  fromDynamoDb: () => Promise<Answer>,
): Promise<Answer> {
  switch (`${asked.service}:${asked.operation}`) {
    case 'ssm:GetParameter':
      return parameter(region, asked);
    case 'cloudformation:DescribeStacks':
      return stack(region, asked);
    case 'lambda:GetAccountSettings':
      return jsonOf({ AccountLimit: { ConcurrentExecutions: region.concurrency } });
    case 'lambda:ListEventSourceMappings':
      return readers(region, asked);
    case 'states:DescribeStateMachine':
      return stateMachine(region, asked);
    case 'logs:DescribeLogGroups':
      return logGroups(region, asked);
    case 'logs:DescribeResourcePolicies':
      return jsonOf({
        resourcePolicies: region.logPolicies.map(([policyName, policyDocument]) => ({
          policyName,
          policyDocument,
          lastUpdatedTime: 1,
        })),
      });
    case 'logs:DescribeQueryDefinitions':
      return jsonOf({
        queryDefinitions: region.queries.map(({ name, text, logGroups }) => ({
          name,
          queryString: text,
          logGroupNames: logGroups,
        })),
      });
    case 'logs:StartQuery':
      return started(region, asked);
    case 'logs:GetQueryResults':
      return results(region, asked);
    case 'cloudwatch:DescribeAlarms':
      return alarmsNamed(region, asked);
    case 'cloudwatch:SetAlarmState':
      return raised(region, asked);
    case 'kms:DescribeKey':
    case 'kms:GetKeyPolicy':
      return key(region, asked);
    case 'dynamodb:DescribeTable':
      return table(region, asked, await fromDynamoDb());
    case 'dynamodb:DescribeTimeToLive':
      return expiry(region, asked);
    case 'dynamodb:DescribeKinesisStreamingDestination':
      return kinesis(region, asked);
    default:
      if (asked.service === 'dynamodb') return fromDynamoDb();
      // This account has none of these.
      throw new AwsError('ResourceNotFoundException', 404, `no ${asked.service} of this name`);
  }
}

function parameter({ bootstrap }: Region, asked: Asked): Answer {
  const name = String(inputOf(asked)['Name']);
  if (bootstrap === undefined || name !== '/cdk-bootstrap/hnb659fds/version')
    throw new AwsError('ParameterNotFound', 400, '');
  return jsonOf({ Parameter: { Name: name, Type: 'String', Value: bootstrap, Version: 1 } });
}

function stack({ stacks }: Region, { form, operation }: Asked): Answer {
  const name = form.get('StackName') ?? '';
  const status = stacks[name];
  if (status === undefined)
    throw new AwsError('ValidationError', 400, `Stack with id ${name} does not exist`);
  return queryAnswer(
    operation,
    `<Stacks><member><StackName>${name}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>${status}</StackStatus></member></Stacks>`,
  );
}

/** By the table that the stream's ARN names. */
function readers({ tables }: Region, { query }: Asked): Answer {
  const stream = query.get('EventSourceArn') ?? '';
  const name = /:table\/([^/]+)\/stream\//.exec(stream)?.[1] ?? '';
  const count = tables[name]?.functions ?? 0;
  return jsonOf({
    EventSourceMappings: Array.from({ length: count }, (_, at) => ({
      UUID: String(at),
      EventSourceArn: stream,
      State: 'Enabled',
    })),
  });
}

function stateMachine({ stateMachines }: Region, asked: Asked): Answer {
  const arn = String(inputOf(asked)['stateMachineArn']);
  const name = arn.split(':').at(-1) ?? '';
  if (!stateMachines.includes(name))
    throw new AwsError('StateMachineDoesNotExist', 400, `State Machine Does Not Exist: '${arn}'`);
  return jsonOf({ stateMachineArn: arn, name, creationDate: 1, definition: '{}', roleArn: 'x' });
}

/** Two at once, so that there is a second page. */
function logGroups({ logGroups: all }: Region, asked: Asked): Answer {
  const { logGroupNamePrefix: prefix, nextToken } = inputOf(asked);
  const matching = all.filter((name) => name.startsWith(String(prefix)));
  const from = Number(nextToken ?? 0);
  return jsonOf({
    logGroups: matching.slice(from, from + 2).map((logGroupName) => ({ logGroupName })),
    ...(from + 2 < matching.length && { nextToken: String(from + 2) }),
  });
}

function key({ keys }: Region, asked: Asked): Answer {
  const id = String(inputOf(asked)['KeyId']);
  const found = keys[id];
  if (found === undefined)
    throw new AwsError('NotFoundException', 400, `Key '${id}' does not exist`);
  if (asked.operation === 'GetKeyPolicy') return jsonOf({ Policy: JSON.stringify(found.policy) });
  return jsonOf({
    KeyMetadata: {
      KeyId: id,
      Arn: id,
      Enabled: found.state === 'Enabled',
      KeyState: found.state,
      KeyManager: found.manager,
    },
  });
}

/** The id of a run is the place of its query, and how often it was asked for. */
function started({ queries }: Region, asked: Asked): Answer {
  const text = inputOf(asked)['queryString'];
  const at = queries.findIndex((query) => query.text === text);
  if (queries[at]?.ends === 'MalformedQueryException')
    throw new AwsError('MalformedQueryException', 400, 'unexpected symbol found');
  return jsonOf({ queryId: String(at) });
}

const polled = new WeakMap<object, number>();

/** Running at first, as in AWS. */
function results({ queries }: Region, asked: Asked): Answer {
  const query = queries[Number(inputOf(asked)['queryId'])];
  if (query === undefined) throw new AwsError('ResourceNotFoundException', 400, 'no such query');
  const polls = (polled.get(query) ?? 0) + 1;
  polled.set(query, polls);
  return jsonOf({ status: polls === 1 ? 'Running' : query.ends, results: [] });
}

function alarmsNamed({ alarms }: Region, asked: Asked): Answer {
  const wanted = inputOf(asked)['AlarmNames'];
  const found = alarms.filter(({ name }) => Array.isArray(wanted) && wanted.includes(name));
  return jsonOf({
    MetricAlarms: found.map(({ name, actions, actionsEnabled, state }) => ({
      AlarmName: name,
      AlarmActions: actions,
      ActionsEnabled: actionsEnabled,
      StateValue: state,
    })),
  });
}

function raised({ alarms }: Region, asked: Asked): Answer {
  const { AlarmName: wanted, StateValue: state } = inputOf(asked);
  const alarm = alarms.find(({ name }) => name === wanted);
  if (alarm === undefined) throw new AwsError('ResourceNotFound', 404, 'no such alarm');
  alarm.state = String(state);
  return jsonOf({});
}

const nameIn = (asked: Asked): string => String(inputOf(asked)['TableName']);

/** The embedded DynamoDB's description of the table, with the fields that only AWS has. */
function table({ tables }: Region, asked: Asked, answer: Answer): Answer {
  if (answer.status !== 200) return answer;
  const body: unknown = JSON.parse(answer.body);
  const described = isRecord(body) ? body['Table'] : undefined;
  const more = tables[nameIn(asked)]?.described;
  return jsonOf({ Table: { ...(isRecord(described) ? described : {}), ...more } });
}

function expiry({ tables }: Region, asked: Asked): Answer {
  const attribute = tables[nameIn(asked)]?.expiresBy;
  return jsonOf({
    TimeToLiveDescription:
      attribute === undefined
        ? { TimeToLiveStatus: 'DISABLED' }
        : { TimeToLiveStatus: 'ENABLED', AttributeName: attribute },
  });
}

function kinesis({ tables }: Region, asked: Asked): Answer {
  const name = nameIn(asked);
  const count = tables[name]?.kinesisStreams ?? 0;
  return jsonOf({
    TableName: name,
    KinesisDataStreamDestinations: Array.from({ length: count }, (_, at) => ({
      StreamArn: `arn:aws:kinesis:x:${ACCOUNT}:stream/${at}`,
      DestinationStatus: 'ACTIVE',
    })),
  });
}

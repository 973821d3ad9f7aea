/** Alarms, the sections of the runbook that they name, and the dashboard. */
import { beforeAll, describe, expect, test } from 'vitest';
import { emfMetrics } from '../../lambdas/adapters/emf-metrics.ts';
import { executionName } from '../../lambdas/adapters/execution-name.ts';
import { METRICS, type MetricName } from '../../lambdas/domain/operating/metric.ts';
import { physicalNames } from '../../lambdas/domain/residency.ts';
import { ALARMS, descriptionOf } from '../../lib/alarms.ts';
import { hookErrorPattern } from '../../lib/hook-errors.ts';
import { ROUTES } from '../../lib/routes.ts';
import { residency } from '../../residency.config.ts';
import { ACCOUNT, textOf } from '../support/policies.ts';
import {
  at,
  listOf,
  ofType,
  type RealmTemplate,
  type Resource,
  templatesOf,
} from '../support/templates.ts';

const PATIENCE = 120_000;
let dev: readonly RealmTemplate[];
let prod: readonly RealmTemplate[];

beforeAll(() => {
  dev = templatesOf(residency, {
    alarmEmail: 'on-call@app.example',
    alarmUrl: 'https://page.me/x',
  });
  prod = templatesOf(residency, { stage: 'prod' });
}, PATIENCE);

const only = (template: RealmTemplate, type: string): Resource => {
  const [found, ...more] = ofType(template, type);
  if (found === undefined || more.length > 0) throw new Error(`not one ${type}`);
  return found;
};
const alarmsOf = (template: RealmTemplate) => ofType(template, 'AWS::CloudWatch::Alarm');
const idOf = ({ resources }: RealmTemplate, resource: Resource): string =>
  Object.keys(resources).find((id) => resources[id] === resource) ?? '';
const dimensionsOf = (properties: unknown): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    listOf(at(properties, 'Dimensions')).map((dimension) => [
      String(at(dimension, 'Name')),
      at(dimension, 'Value'),
    ]),
  );

describe('alarms', () => {
  test('are those of the table, and each says what it means, what to do first, and where to read on', () => {
    for (const template of [...dev, ...prod]) {
      const alarms = alarmsOf(template).map(({ Properties }) => [
        String(Properties['AlarmName']).replace(/^residency-[a-z]+-[a-z]+-/, ''),
        Properties['AlarmDescription'],
      ]);
      expect(Object.fromEntries(alarms)).toEqual(
        Object.fromEntries(ALARMS.map((row) => [row.word, descriptionOf(row)])),
      );
    }
    for (const row of ALARMS) {
      expect(descriptionOf(row)).toMatch(/^.+\. First: .+ Runbook: docs\/runbook\.md#[a-z0-9-]+$/);
      expect(descriptionOf(row).length).toBeLessThanOrEqual(1024);
    }
  });

  test('speak to the topic of their realm, and to nothing else', () => {
    for (const template of prod) {
      const topic = { Ref: idOf(template, only(template, 'AWS::SNS::Topic')) };
      for (const { Properties } of alarmsOf(template)) {
        expect(Properties['AlarmActions']).toEqual([topic]);
        expect([undefined, [topic]]).toContainEqual(Properties['OKActions']);
      }
    }
  });

  test('take no news for good news, but for that of functions which run all the time', () => {
    for (const { Properties } of prod.flatMap(alarmsOf)) {
      const runsAllTheTime = /-(janitor|purge-retired)$/.test(String(Properties['AlarmName']));
      expect(Properties['TreatMissingData']).toBe(runsAllTheTime ? 'breaching' : 'notBreaching');
    }
  });

  test('look at metrics by exactly the dimensions that the functions write them with', () => {
    const written = new Map<string, unknown>();
    for (const { realm } of prod) {
      const metrics = emfMetrics({ service: residency.name, stage: 'prod', realm }, (line) => {
        const { _aws, ...values } = Object(JSON.parse(line));
        const [{ Namespace, Dimensions, Metrics }] = _aws.CloudWatchMetrics;
        const dimensions = Object.fromEntries(
          Dimensions[0].map((key: string) => [key, values[key]]),
        );
        written.set(`${realm} ${Metrics[0].Name}`, { Namespace, dimensions });
      });
      const plain = Object.keys(METRICS).filter(isPlain);
      for (const name of plain) metrics.record(name, 1);
    }
    const ours = prod.flatMap((template) =>
      alarmsOf(template)
        .filter(({ Properties }) => Properties['Namespace'] === residency.name)
        .filter(({ Properties }) => !String(Properties['MetricName']).endsWith('-hooks-5xx'))
        .map(({ Properties }) => [
          `${template.realm} ${Properties['MetricName']}`,
          { Namespace: Properties['Namespace'], dimensions: dimensionsOf(Properties) },
        ]),
    );
    expect(ours).toHaveLength(5 * residency.realms.length);
    for (const [name, metric] of ours)
      expect(metric, String(name)).toEqual(written.get(String(name)));
  });

  test('of failed executions hear the rule that calls settle', () => {
    for (const template of prod) {
      const rule = ofType(template, 'AWS::Events::Rule').find(({ Properties }) =>
        at(Properties, 'EventPattern', 'detail', 'status'),
      );
      const alarm = alarmsOf(template).find(({ Properties }) =>
        String(Properties['AlarmName']).endsWith('-failed-execution'),
      );
      expect(dimensionsOf(alarm?.Properties)).toEqual({ RuleName: rule?.Properties['Name'] });
    }
  });
});

type PlainMetric = {
  [N in MetricName]: (typeof METRICS)[N] extends { readonly by: string } ? never : N;
}[MetricName];
const isPlain = (name: string): name is PlainMetric => !at(METRICS, name, 'by');

describe('the topic', () => {
  test('is encrypted with the realm’s key, which CloudWatch may use for this topic alone', () => {
    for (const template of prod) {
      const { prefix } = physicalNames(residency, 'prod', template.realm);
      const [key] = ofType(template, 'AWS::KMS::Key');
      const topic = only(template, 'AWS::SNS::Topic');
      expect(at(topic.Properties, 'KmsMasterKeyId', 'Fn::GetAtt', 0)).toBe(
        key && idOf(template, key),
      );
      const statements = listOf(at(key?.Properties['KeyPolicy'], 'Statement'));
      const services = statements.filter((statement) => at(statement, 'Principal', 'Service'));
      expect(services).toHaveLength(1);
      const [statement] = services;
      expect(at(statement, 'Principal', 'Service')).toBe('cloudwatch.amazonaws.com');
      expect(at(statement, 'Action')).toEqual(['kms:Decrypt', 'kms:GenerateDataKey']);
      const equal = at(statement, 'Condition', 'StringEquals');
      expect(textOf(template, at(equal, 'kms:EncryptionContext:aws:sns:topicArn'))).toBe(
        `arn:aws:sns:${template.region}:${ACCOUNT}:${prefix}-alarms`,
      );
      expect(topic.Properties['TopicName']).toBe(`${prefix}-alarms`);
      expect(textOf(template, at(statement, 'Condition', 'ArnLike', 'aws:SourceArn'))).toBe(
        `arn:aws:cloudwatch:${template.region}:${ACCOUNT}:alarm:${prefix}-*`,
      );
    }
  });

  test('takes messages of this realm’s alarms, and nothing without TLS', () => {
    for (const template of prod) {
      const policy = only(template, 'AWS::SNS::TopicPolicy').Properties['PolicyDocument'];
      const [tls, alarms, ...more] = [...listOf(at(policy, 'Statement'))].sort((one) =>
        at(one, 'Effect') === 'Deny' ? -1 : 1,
      );
      expect(more).toEqual([]);
      expect(at(tls, 'Condition', 'Bool', 'aws:SecureTransport')).toBe('false');
      expect(at(alarms, 'Principal', 'Service')).toBe('cloudwatch.amazonaws.com');
      expect(at(alarms, 'Condition', 'StringEquals', 'aws:SourceAccount')).toEqual({
        Ref: 'AWS::AccountId',
      });
    }
  });

  test('has the subscribers that were asked for, and none otherwise', () => {
    for (const template of dev) {
      const subscriptions = ofType(template, 'AWS::SNS::Subscription').map(({ Properties }) => [
        Properties['Protocol'],
        Properties['Endpoint'],
      ]);
      expect(subscriptions).toEqual([
        ['email', 'on-call@app.example'],
        ['https', 'https://page.me/x'],
      ]);
    }
    expect(prod.flatMap((template) => ofType(template, 'AWS::SNS::Subscription'))).toEqual([]);
  });

  test.each([
    [{ alarmEmail: 'nobody' }, 'alarmEmail is an address'],
    [{ alarmUrl: 'http://page.me' }, 'alarmUrl begins with https://'],
  ])('refuses %o', (context, message) => {
    expect(() => templatesOf(residency, context)).toThrow(message);
  });
});

describe('the dead-letter queue', () => {
  test('is encrypted, asks for TLS, and keeps for two weeks', () => {
    for (const template of prod) {
      const queue = only(template, 'AWS::SQS::Queue');
      expect(queue.Properties).toMatchObject({
        SqsManagedSseEnabled: true,
        MessageRetentionPeriod: 14 * 24 * 60 * 60,
      });
      const policy = only(template, 'AWS::SQS::QueuePolicy').Properties['PolicyDocument'];
      const tls = listOf(at(policy, 'Statement')).find((one) => at(one, 'Effect') === 'Deny');
      expect(at(tls, 'Condition', 'Bool', 'aws:SecureTransport')).toBe('false');
    }
  });

  test('gets what EventBridge cannot bring to settle, and what settle fails at; of a schedule, nothing', () => {
    for (const template of prod) {
      const queue = { 'Fn::GetAtt': [idOf(template, only(template, 'AWS::SQS::Queue')), 'Arn'] };
      const targets = ofType(template, 'AWS::Events::Rule').map(({ Properties }) => [
        String(Properties['Name']).split('-').slice(3).join('-'),
        at(Properties, 'Targets', 0, 'DeadLetterConfig', 'Arn'),
      ]);
      expect(Object.fromEntries(targets)).toMatchObject({
        'realm-migration-failed': queue,
      });
      const scheduled = targets.filter(([name]) => name !== 'realm-migration-failed');
      expect(Object.fromEntries(scheduled)).toEqual({
        janitor: undefined,
        measure: undefined,
        'purge-retired': undefined,
      });
      const kept = ofType(template, 'AWS::Lambda::EventInvokeConfig').map(({ Properties }) => [
        functionNamed(template, Properties['FunctionName']),
        at(Properties, 'DestinationConfig', 'OnFailure', 'Destination'),
        Properties['MaximumRetryAttempts'],
      ]);
      expect(kept).toContainEqual(['settle', queue, 2]);
      for (const task of ['janitor', 'measure', 'purge-retired'])
        expect(kept).toContainEqual([task, undefined, 0]);
    }
  });
});

const functionNamed = ({ resources }: RealmTemplate, reference: unknown): string =>
  String(resources[String(at(reference, 'Ref'))]?.Properties['FunctionName']).replace(
    /^residency-[a-z]+-[a-z]+-/,
    '',
  );

describe('the count of hooks that were answered 5xx', () => {
  test('knows every hook by its route, and no route of the app', () => {
    const isCounted = matcherOf(hookErrorPattern());
    for (const { method, path, scheme } of ROUTES) {
      const isHook = !['public', 'context-jwt', 'forge-context'].includes(scheme);
      const line = (httpStatus: string) => ({ route: `${method} ${path}`, httpStatus });
      expect(isCounted(line('503')), path).toBe(isHook);
      expect(isCounted(line('500')), path).toBe(isHook);
      expect(isCounted(line('200')), path).toBe(false);
      expect(isCounted(line('409')), path).toBe(false);
    }
    expect(hookErrorPattern().length).toBeLessThanOrEqual(1024);
  });

  test('reads what the access log writes', () => {
    for (const template of prod) {
      const stage = only(template, 'AWS::ApiGatewayV2::Stage');
      const format = JSON.parse(String(at(stage.Properties, 'AccessLogSettings', 'Format')));
      expect(format).toMatchObject({ route: '$context.routeKey', httpStatus: '$context.status' });
      const filter = only(template, 'AWS::Logs::MetricFilter');
      const alarm = alarmsOf(template).find(({ Properties }) =>
        String(Properties['AlarmName']).endsWith('-hooks-5xx'),
      );
      expect(at(filter.Properties, 'MetricTransformations', 0)).toMatchObject({
        MetricName: alarm?.Properties['MetricName'],
        MetricNamespace: alarm?.Properties['Namespace'],
        MetricValue: '1',
      });
    }
  });
});

/**
 * Evaluates a pattern of two groups: the first must match, and one of the second. A star at the end
 * matches any text.
 */
function matcherOf(pattern: string) {
  const clauses = [...pattern.matchAll(/\(\$\.(\w+) = "([^"*]*)(\*?)"\)/g)].map(
    ([, field = '', text = '', star]) =>
      (line: Readonly<Record<string, string>>) =>
        star ? line[field]?.startsWith(text) === true : line[field] === text,
  );
  const [status, ...routes] = clauses;
  return (line: Readonly<Record<string, string>>): boolean =>
    status?.(line) === true && routes.some((isRoute) => isRoute(line));
}

describe('saved queries', () => {
  test('look into logs that exist, of this realm alone', () => {
    for (const template of prod) {
      const groups = ofType(template, 'AWS::Logs::LogGroup').map(
        ({ Properties }) => Properties['LogGroupName'],
      );
      const queries = ofType(template, 'AWS::Logs::QueryDefinition');
      expect(queries.map(({ Properties }) => Properties['Name']).sort()).toEqual([
        `residency-prod-${template.realm}/alarms`,
        `residency-prod-${template.realm}/one migration`,
        `residency-prod-${template.realm}/requests of one migration`,
      ]);
      for (const { Properties } of queries) {
        const names = listOf(Properties['LogGroupNames']).map(
          (group) => template.resources[String(at(group, 'Ref'))]?.Properties['LogGroupName'],
        );
        expect(groups).toEqual(expect.arrayContaining(names));
        expect(listOf(Properties['LogGroupNames']).length).toBeLessThanOrEqual(50);
      }
    }
  });

  test('find a migration in the names of its executions', () => {
    const query = prod
      .flatMap((template) => ofType(template, 'AWS::Logs::QueryDefinition'))
      .find(({ Properties }) => String(Properties['Name']).endsWith('/one migration'));
    const text = String(query?.Properties['QueryString']);
    const pattern = /parse execution_arn \/(.+)\/$/m.exec(text)?.[1] ?? '';
    const name = executionName({
      realm: 'de',
      ledger: 'us',
      tenant: 'acme',
      id: '57500',
      phase: 'rollback',
      attempt: 12,
    });
    const arn = `arn:aws:states:eu-central-1:${ACCOUNT}:execution:residency-prod-de-realm-migration:${name}`;
    expect(new RegExp(pattern).exec(arn)?.groups).toEqual({
      phase: 'rollback',
      moved: '57500',
      attempt: '12',
    });
  });

  test('are about executions and requests whose payloads are in no log', () => {
    for (const template of prod) {
      const machine = only(template, 'AWS::StepFunctions::StateMachine');
      expect(machine.Properties['LoggingConfiguration']).toMatchObject({
        Level: 'ALL',
        IncludeExecutionData: false,
      });
    }
  });
});

describe('the dashboard', () => {
  const bodyOf = (template: RealmTemplate) =>
    textOf(template, only(template, 'AWS::CloudWatch::Dashboard').Properties['DashboardBody']);

  test('is one, beside the default realm, in production alone', () => {
    const having = [...dev, ...prod].filter(
      (template) => ofType(template, 'AWS::CloudWatch::Dashboard').length > 0,
    );
    expect(having).toEqual(prod.filter(({ realm }) => realm === residency.defaultRealm));
  });

  test('shows every realm in each picture, by metrics of its own region', () => {
    const [us] = prod;
    if (us === undefined) throw new Error('there is no stack');
    const { widgets } = JSON.parse(bodyOf(us));
    const graphs = widgets.filter(({ type }: { type: string }) => type === 'metric');
    expect(graphs).toHaveLength(7);
    let metrics = 0;
    for (const { properties } of graphs) {
      const lines = properties.metrics.map((line: readonly unknown[]) => ({
        realm: line.includes('realm') ? line[line.indexOf('realm') + 1] : undefined,
        region: Object(line.at(-1)).region ?? us.region,
        text: JSON.stringify(line),
      }));
      const drawn = lines.filter(({ text }: { text: string }) => !text.includes('expression'));
      metrics += drawn.length;
      for (const { realm, region } of residency.realms) {
        const own = drawn.filter(
          (line: { realm: unknown; text: string }) =>
            line.realm === realm || line.text.includes(`prod-${realm}-hooks-5xx`),
        );
        expect(own.length, `${properties.title} ${realm}`).toBeGreaterThan(0);
        for (const line of own) expect(line.region).toBe(region);
      }
    }
    expect(metrics).toBeLessThanOrEqual(50);
  });
});

/**
 * What five realms cost in a month in which nothing moves, counted in the templates: under $20 at
 * first, as docs/cost.md says.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { residency } from '../../residency.config.ts';
import { at, listOf, ofType, type RealmTemplate, templatesOf } from '../support/templates.ts';

/** List prices of us-east-1 in November 2026, in dollars, without any free allowance. */
const PRICES = {
  keyMonth: 1,
  /** What each of the first two rotations adds to a key's price, for ever. */
  rotationMonth: 1,
  alarmMetricMonth: 0.1,
  dashboardMonth: 3,
  lambdaRequest: 0.2e-6,
  lambdaArmGbSecond: 13.3334e-6,
  logGb: 0.5,
  readUnit: 0.125e-6,
  keyRequest: 0.03 / 10_000,
};
/**
 * CloudWatch's free allowance per account and month, as long as nothing else in the account uses
 * it.
 */
const FREE = { alarmMetrics: 10, dashboards: 3 };
/** A run that finds nothing to do, estimated generously. */
const RUN = { seconds: 1, readUnits: 2, keyRequests: 2, logBytes: 1_500 };
const MINUTES = { minute: 1, minutes: 1, hour: 60, hours: 60, day: 1_440, days: 1_440 };
const MOST = 20;
const MOST_FOR_GOOD = 26;

let prod: readonly RealmTemplate[];
beforeAll(() => {
  prod = templatesOf(residency, { stage: 'prod' });
});

const count = (type: string) => prod.flatMap((template) => ofType(template, type)).length;

/** An alarm on an expression costs as much as one alarm for each of its metrics. */
const alarmMetrics = () =>
  prod
    .flatMap((template) => ofType(template, 'AWS::CloudWatch::Alarm'))
    .map(({ Properties }) =>
      Properties['MetricName'] !== undefined
        ? 1
        : listOf(Properties['Metrics']).filter((metric) => at(metric, 'MetricStat')).length,
    )
    .reduce((sum, metrics) => sum + metrics, 0);

/** Scheduled functions: runs in thirty days, and memory. */
const scheduled = () =>
  prod.flatMap((template) =>
    ofType(template, 'AWS::Events::Rule')
      .filter(({ Properties }) => Properties['ScheduleExpression'] !== undefined)
      .map(({ Properties }) => {
        const [, every, unit = ''] =
          /^rate\((\d+) (\w+)\)$/.exec(String(Properties['ScheduleExpression'])) ?? [];
        const minutes = Number(every) * Number(at(MINUTES, unit));
        const id = String(at(Properties, 'Targets', 0, 'Arn', 'Fn::GetAtt', 0));
        const memoryMb = Number(template.resources[id]?.Properties['MemorySize']);
        return { runs: (30 * 24 * 60) / minutes, gb: memoryMb / 1024 };
      }),
  );

/** Keys that sign have no rotation. */
const rotatingKeys = () =>
  prod
    .flatMap((template) => ofType(template, 'AWS::KMS::Key'))
    .filter(({ Properties }) => Properties['EnableKeyRotation'] === true).length;

const runs = () => scheduled().reduce((sum, one) => sum + one.runs, 0);

const scheduledDollars = () =>
  scheduled()
    .map(({ runs: times, gb }) => times * runDollars(gb))
    .reduce((sum, cost) => sum + cost, 0);

const runDollars = (gb: number) =>
  PRICES.lambdaRequest +
  RUN.seconds * gb * PRICES.lambdaArmGbSecond +
  RUN.readUnits * PRICES.readUnit +
  RUN.keyRequests * PRICES.keyRequest +
  (RUN.logBytes / 1024 ** 3) * PRICES.logGb;

function dollars({ rotations = 0, free = { alarmMetrics: 0, dashboards: 0 } } = {}): number {
  return (
    count('AWS::KMS::Key') * PRICES.keyMonth +
    rotatingKeys() * rotations * PRICES.rotationMonth +
    Math.max(0, alarmMetrics() - free.alarmMetrics) * PRICES.alarmMetricMonth +
    Math.max(0, count('AWS::CloudWatch::Dashboard') - free.dashboards) * PRICES.dashboardMonth +
    scheduledDollars()
  );
}

describe('five realms in which nothing moves', () => {
  test('cost less than $20 a month until the keys rotate', () => {
    expect(prod).toHaveLength(5);
    expect(dollars()).toBeLessThan(MOST);
  });

  test('cost less than $26 for good, where CloudWatch’s free allowance is not used up by others', () => {
    expect(dollars({ rotations: 2, free: FREE })).toBeLessThan(MOST_FOR_GOOD);
  });

  test('cost what docs/cost.md says', () => {
    const page = readFileSync(new URL('../../docs/cost.md', import.meta.url), 'utf8');
    const said = (row: string) =>
      Number(new RegExp(`^\\| ${row}[^|]*\\|.*\\| *\\**([\\d.]+)\\** *\\|$`, 'm').exec(page)?.[1]);
    const cents = (value: number) => Number(value.toFixed(2));
    expect(said('keys that encrypt')).toBe(cents(rotatingKeys() * PRICES.keyMonth));
    expect(said('keys that sign')).toBe(
      cents((count('AWS::KMS::Key') - rotatingKeys()) * PRICES.keyMonth),
    );
    expect(said('alarms ')).toBe(cents(alarmMetrics() * PRICES.alarmMetricMonth));
    expect(said('dashboard ')).toBe(cents(PRICES.dashboardMonth));
    expect(said('functions on a schedule')).toBe(cents(scheduledDollars()));
    expect(page).toContain(`| ${runs().toLocaleString('en')} |`);
    expect(said('\\*\\*in the first two years')).toBe(cents(dollars()));
    expect(said('after the first rotation')).toBe(cents(dollars({ rotations: 1 })));
    expect(said('after the second')).toBe(cents(dollars({ rotations: 2 })));
    expect(said('… with CloudWatch')).toBe(cents(dollars({ rotations: 2, free: FREE })));
  });

  test('have nothing else that is paid for by the month or the hour', () => {
    const types = new Set(
      prod.flatMap(({ resources }) => Object.values(resources).map(({ Type }) => Type)),
    );
    expect([...types].sort()).toEqual([
      'AWS::ApiGatewayV2::Api',
      'AWS::ApiGatewayV2::Integration',
      'AWS::ApiGatewayV2::Route',
      'AWS::ApiGatewayV2::Stage',
      'AWS::CloudWatch::Alarm',
      'AWS::CloudWatch::Dashboard',
      'AWS::DynamoDB::Table',
      'AWS::Events::Rule',
      'AWS::IAM::ManagedPolicy',
      'AWS::IAM::Policy',
      'AWS::IAM::Role',
      'AWS::KMS::Alias',
      'AWS::KMS::Key',
      'AWS::Lambda::EventInvokeConfig',
      'AWS::Lambda::Function',
      'AWS::Lambda::Permission',
      'AWS::Logs::LogGroup',
      'AWS::Logs::MetricFilter',
      'AWS::Logs::QueryDefinition',
      'AWS::S3::Bucket',
      'AWS::S3::BucketPolicy',
      'AWS::SNS::Topic',
      'AWS::SNS::TopicPolicy',
      'AWS::SQS::Queue',
      'AWS::SQS::QueuePolicy',
      'AWS::StepFunctions::StateMachine',
    ]);
    const tables = prod.flatMap((template) => ofType(template, 'AWS::DynamoDB::Table'));
    expect(new Set(tables.map(({ Properties }) => Properties['BillingMode']))).toEqual(
      new Set(['PAY_PER_REQUEST']),
    );
    for (const { Properties } of prod.flatMap((template) =>
      ofType(template, 'AWS::Lambda::Function'),
    ))
      expect(Properties).not.toHaveProperty('SnapStart');
  });
});

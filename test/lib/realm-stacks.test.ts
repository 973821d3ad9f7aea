/** The stacks of all realms: alike, without circles, and strict where data is kept. */
import { readFileSync } from 'node:fs';
import type { App } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, describe, expect, test } from 'vitest';
import { baseUrlsOf, physicalNames, type Residency } from '../../lambdas/domain/residency.ts';
import { type DeploymentOptions, deploymentOf } from '../../lib/deployment.ts';
import { tableDefinitions } from '../../lib/local/tables.ts';
import { ROUTES } from '../../lib/routes.ts';
import { residency } from '../../residency.config.ts';
import {
  appOf,
  at,
  type Context,
  listOf,
  ofType,
  type RealmTemplate,
  synthesised,
  templatesOf,
} from '../support/templates.ts';

let apps: readonly App[];
let dev: readonly RealmTemplate[];
let prod: readonly RealmTemplate[];
let onDomain: readonly RealmTemplate[];

beforeAll(() => {
  const onItsDomain = { domain: 'app.example.com', hostedZoneId: 'Z1' };
  const configured: readonly [Residency, Context][] = [
    [residency, {}],
    [residency, { stage: 'prod' }],
    [{ ...residency, ...onItsDomain }, { stage: 'prod' }],
  ];
  apps = configured.map(([config, context]) => appOf(config, context));
  [dev = [], prod = [], onDomain = []] = apps.map((app) => synthesised(residency, app));
});

describe('the stacks', () => {
  test('are one per realm', () => {
    expect(dev.map(({ realm }) => realm)).toEqual(['us', 'de', 'eu', 'au', 'sg']);
  });

  test.each([
    ['without a domain', () => dev],
    ['on a domain', () => onDomain],
    ['in production', () => prod],
  ])('differ by their row of the configuration alone, %s', (_, templates) => {
    const [first, ...others] = templates();
    if (first === undefined) throw new Error('there is no stack');
    const alike = { ...first, resources: withoutFleet(first) };
    for (const other of others) expect(inPlaceOf(alike, other)).toEqual(canonical(other.resources));
  });

  test('hold as much as the README says', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    for (const template of prod) {
      expect(readme).toContain(`${ofType(template, 'AWS::Lambda::Function').length} Lambdas on`);
      const rules = ofType(template, 'AWS::Events::Rule').length;
      expect(readme).toContain(
        `${['no', 'one', 'two', 'three', 'four', 'five'][rules]} EventBridge rules`,
      );
    }
  });

  test('have no circle of references', () => {
    for (const template of [...dev, ...onDomain]) expect(circleIn(template)).toBeUndefined();
  });

  test('import nothing from each other', () => {
    for (const { resources } of dev) {
      expect(JSON.stringify(resources)).not.toMatch(/Fn::ImportValue|Fn::GetStackOutput/);
    }
  });

  test('leave no finding of cdk-nag without a reason', () => {
    for (const app of apps) {
      expect(new AwsSolutionsChecks().validateScope(app).violations).toEqual([]);
    }
  });

  test('are refused without a stage that fits into names, or without the zone of their domain', () => {
    expect(() => appOf(residency, { stage: 'Prod-1' })).toThrow('stage "Prod-1"');
    expect(() => appOf(residency, { domain: 'a.example' })).toThrow('-c hostedZoneId');
  });

  test('of two stages share a domain, and claim no host of each other’s', () => {
    const oneRealm = { ...residency, realms: residency.realms.slice(0, 1) };
    const shared = { ...oneRealm, domain: 'app.example.com', hostedZoneId: 'Z1' };
    const hostsIn = (stage: string) => {
      const [template] = templatesOf(shared, { stage });
      return ['AWS::ApiGatewayV2::DomainName', 'AWS::Route53::RecordSet']
        .flatMap((type) => (template ? ofType(template, type) : []))
        .map(({ Properties }) => Properties['DomainName'] ?? Properties['Name']);
    };
    const record = (host: string) => [`${host}.`, `${host}.`];
    expect(hostsIn('prod')).toEqual(['us.app.example.com', ...record('us.app.example.com')]);
    expect(hostsIn('dev')).toEqual(['us.dev.app.example.com', ...record('us.dev.app.example.com')]);
    expect(baseUrlsOf(shared, 'dev')).toEqual({ us: 'https://us.dev.app.example.com' });
  });

  test('of production take their domain from the configuration, where it cannot be forgotten', () => {
    const given = { domain: 'app.example.com', hostedZoneId: 'Z1' };
    expect(() => appOf(residency, { ...given, stage: 'prod' })).toThrow(
      'in prod it stands in residency.config.ts, because a deployment that forgets -c domain',
    );
    expect(() => appOf({ ...residency, ...given }, { stage: 'prod' })).not.toThrow();
    expect(() => appOf(residency, given)).not.toThrow();
  });
});

describe('tables', () => {
  test('are those of the local host, with the same keys and indexes', () => {
    for (const template of dev) {
      const local = tableDefinitions(residency, 'dev', template.realm);
      const keys = (table: unknown) => ({
        name: at(table, 'TableName'),
        key: at(table, 'KeySchema'),
        attributes: at(table, 'AttributeDefinitions'),
        indexes: at(table, 'GlobalSecondaryIndexes'),
      });
      expect(tables(template).map(({ Properties }) => keys(Properties))).toEqual(local.map(keys));
    }
  });

  test('have one replica, cost by use, and can be restored to any second of seven days', () => {
    for (const table of [...dev, ...prod].flatMap(tables)) {
      expect(table.Properties).toMatchObject({
        BillingMode: 'PAY_PER_REQUEST',
        PointInTimeRecoverySpecification: {
          PointInTimeRecoveryEnabled: true,
          RecoveryPeriodInDays: 7,
        },
      });
      expect(table.Properties).not.toHaveProperty('Replicas');
    }
    expect([...dev, ...prod].flatMap((t) => ofType(t, 'AWS::DynamoDB::GlobalTable'))).toEqual([]);
  });

  test('let records expire by the attribute that is declared, and by no other', () => {
    const expiring = tables(first(dev)).map(({ Properties }) => [
      Properties['TableName'],
      at(Properties, 'TimeToLiveSpecification', 'AttributeName'),
    ]);
    expect(expiring).toEqual([
      ['residency-dev-us-tenants', 'expiresAt'],
      ['residency-dev-us-migrations', 'expiresAt'],
      ['residency-dev-us-templates', undefined],
      ['residency-dev-us-exports', undefined],
      ['residency-dev-us-previews', 'expiresAt'],
    ]);
  });

  test('outlive their stack in production, and only there', () => {
    const keeping = (templates: readonly RealmTemplate[]) =>
      templates
        .flatMap((template) => [...tables(template), ...ofType(template, 'AWS::KMS::Key')])
        .map(({ DeletionPolicy, UpdateReplacePolicy }) => [DeletionPolicy, UpdateReplacePolicy]);
    expect(new Set(keeping(prod).map((policies) => policies.join()))).toEqual(
      new Set(['RetainExceptOnCreate,Retain']),
    );
    expect(new Set(keeping(dev).flat())).toEqual(new Set(['Delete']));
  });

  test('of tenants and of the ledger are encrypted with the realm’s own key', () => {
    for (const template of dev) {
      const { tenants, migrations } = physicalNames(residency, 'dev', template.realm);
      const encrypted = tables(template)
        .filter((table) => at(table.Properties, 'SSESpecification', 'KMSMasterKeyId'))
        .map((table) => table.Properties['TableName']);
      expect(encrypted).toEqual([tenants, migrations]);
    }
  });

  test('of the vendor’s own are neither made nor configured', () => {
    const [part] = residency.parts;
    if (part === undefined) throw new Error('there is no part');
    const theirs = {
      ...part,
      tableName: (realm: string, stage: string) => `app-${stage}-${realm}`,
    };
    const [us] = templatesOf({
      ...residency,
      realms: residency.realms.slice(0, 1),
      parts: [theirs, ...residency.parts.slice(1)],
      otherWritersSeconds: 30,
    });
    if (us === undefined) throw new Error('there is no stack');
    const names = tables(us).map((table) => table.Properties['TableName']);
    expect(names).not.toContain('app-dev-us');
    expect(names).not.toContain('residency-dev-us-templates');
    expect(JSON.stringify(us.resources)).toContain(':table/app-dev-us"');
  });
});

describe('the HTTP API', () => {
  test('has the routes of routes.ts, and each has a throttle of its own', () => {
    for (const template of dev) {
      const keys = ofType(template, 'AWS::ApiGatewayV2::Route').map(
        (r) => r.Properties['RouteKey'],
      );
      expect(keys.sort()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).sort());
      const [stage] = ofType(template, 'AWS::ApiGatewayV2::Stage');
      expect(stage?.Properties['RouteSettings']).toEqual(
        Object.fromEntries(
          ROUTES.map(({ method, path, throttle }) => [
            `${method} ${path}`,
            { ThrottlingRateLimit: throttle.rate, ThrottlingBurstLimit: throttle.burst },
          ]),
        ),
      );
    }
  });

  test('speaks payload 2.0', () => {
    const versions = dev
      .flatMap((template) => ofType(template, 'AWS::ApiGatewayV2::Integration'))
      .map((integration) => integration.Properties['PayloadFormatVersion']);
    expect(new Set(versions)).toEqual(new Set(['2.0']));
  });

  test('logs who asked for what, and no query string, header or address', () => {
    for (const template of dev) {
      const [stage] = ofType(template, 'AWS::ApiGatewayV2::Stage');
      const format = String(at(stage?.Properties, 'AccessLogSettings', 'Format'));
      expect(JSON.parse(format)).toMatchObject({ route: '$context.routeKey' });
      expect(format).not.toMatch(/query|path\b|request\.header|identity|authorizer|domainName/i);
    }
  });

  test('answers on {realm}.{domain} alone where there is a domain', () => {
    for (const template of onDomain) {
      const [domain] = ofType(template, 'AWS::ApiGatewayV2::DomainName');
      expect(domain?.Properties['DomainName']).toBe(`${template.realm}.app.example.com`);
      const [api] = ofType(template, 'AWS::ApiGatewayV2::Api');
      expect(api?.Properties['DisableExecuteApiEndpoint']).toBe(true);
    }
  });
});

describe('Lambdas', () => {
  test('keep logs for a while, in a group that they could not make themselves', () => {
    for (const template of dev) {
      const groups = ofType(template, 'AWS::Logs::LogGroup');
      expect(groups.every((group) => Number(group.Properties['RetentionInDays']) > 0)).toBe(true);
      for (const lambda of ofType(template, 'AWS::Lambda::Function')) {
        const group = at(lambda.Properties, 'LoggingConfig', 'LogGroup', 'Ref');
        expect(template.resources[String(group)]?.Properties['LogGroupName']).toBe(
          `/aws/lambda/${lambda.Properties['FunctionName']}`,
        );
      }
    }
  });

  test('know their realm, and every realm’s base URL where it follows from a domain', () => {
    for (const template of onDomain) {
      for (const lambda of ofType(template, 'AWS::Lambda::Function')) {
        const variables = at(lambda.Properties, 'Environment', 'Variables');
        expect(at(variables, 'REALM')).toBe(template.realm);
        expect(JSON.parse(String(at(variables, 'BASE_URLS')))).toMatchObject({
          us: 'https://us.app.example.com',
          de: 'https://de.app.example.com',
        });
      }
    }
  });

  test('wait for the fence as long as the slowest writer of datasets may run, and a margin', () => {
    const [lambda] = ofType(first(dev), 'AWS::Lambda::Function');
    expect(at(lambda?.Properties, 'Environment', 'Variables', 'DRAIN_SECONDS')).toBe('20');
    const [row] = residency.realms;
    if (row === undefined) throw new Error('there is no realm');
    const { environment } = deploymentOf({
      residency,
      stage: 'dev',
      row,
      otherWritersSeconds: 900,
    });
    expect(environment['DRAIN_SECONDS']).toBe('910');
  });

  test('of another’s are waited for as the configuration says, and never by a guess', () => {
    const [row] = residency.realms;
    if (row === undefined) throw new Error('there is no realm');
    const parts = residency.parts.map((part) => ({
      ...part,
      tableName: (realm: string) => `${realm}-${part.name}`,
    }));
    const drainOf = (more: Partial<DeploymentOptions>, seconds?: number) => {
      const said = seconds === undefined ? {} : { otherWritersSeconds: seconds };
      const theirs = { ...residency, parts, ...said };
      return deploymentOf({ residency: theirs, stage: 'dev', row, ...more }).environment[
        'DRAIN_SECONDS'
      ];
    };
    expect(drainOf({}, 60)).toBe('70');
    expect(drainOf({ otherWritersSeconds: 120 }, 60)).toBe('130');
    expect(() => drainOf({})).toThrow('part "templates" is a table of your own');
    expect(() => drainOf({ otherWritersSeconds: 0.5 }, 60)).toThrow('a whole number of seconds');
  });
});

/** Only the default realm in production has the dashboard. */
const withoutFleet = ({ resources }: RealmTemplate): RealmTemplate['resources'] =>
  Object.fromEntries(
    Object.entries(resources).filter(([, { Type }]) => Type !== 'AWS::CloudWatch::Dashboard'),
  );

const tables = (template: RealmTemplate) => ofType(template, 'AWS::DynamoDB::Table');

function first(templates: readonly RealmTemplate[]): RealmTemplate {
  const [template] = templates;
  if (template === undefined) throw new Error('there is no template');
  return template;
}

/** The template of one realm as it would read for the other: their two rows are exchanged. */
function inPlaceOf(template: RealmTemplate, other: RealmTemplate): unknown {
  const swapped = (text: string): string => {
    if (text === template.realm) return other.realm;
    if (text === other.realm) return template.realm;
    const regions = swapWords(text, template.region, other.region);
    const names = swapWords(regions, template.realm, other.realm, '(?<=residency-[a-z]+-)');
    return names.replace(/^us(?=\.app\.example\.com\.?$)/, other.realm);
  };
  return canonical(mapText(template.resources, swapped));
}

const swapWords = (text: string, a: string, b: string, after = ''): string =>
  text.replace(new RegExp(`${after}(${a}|${b})(?![a-z])`, 'g'), (found) => (found === a ? b : a));

/** Keys, and the table of base URLs, are the same in all realms. */
function mapText(value: unknown, change: (text: string) => string, key = ''): unknown {
  if (key === 'BASE_URLS') return value;
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapText(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, mapText(v, change, k)]));
}

/** Without the order of rows: of statements, resources and principals. */
function canonical(value: unknown, key = ''): unknown {
  if (key === 'Metadata') return undefined;
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item));
    const isOrdered = !['Statement', 'Resource', 'aws:PrincipalArn'].includes(key);
    return isOrdered ? items : items.map((item) => JSON.stringify(item)).sort();
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => [
      idOf(k),
      k === 'Sid' ? idOf(String(v)) : canonical(v, k),
    ]),
  );
}

/** CDK puts the name of the stack into the ids of a rule's permissions. */
const idOf = (key: string) => key.replace(/(AllowEventRule).*/, '$1');

/** The ids along a circle of Ref, GetAtt, Sub and DependsOn; `undefined` where there is none. */
function circleIn({ resources }: RealmTemplate): readonly string[] | undefined {
  const finished = new Set<string>();
  const visit = (id: string, trail: readonly string[]): readonly string[] | undefined => {
    if (trail.includes(id)) return [...trail.slice(trail.indexOf(id)), id];
    if (finished.has(id)) return undefined;
    for (const next of referencesIn(resources[id])) {
      const circle = next in resources ? visit(next, [...trail, id]) : undefined;
      if (circle) return circle;
    }
    finished.add(id);
    return undefined;
  };
  for (const id of Object.keys(resources)) {
    const circle = visit(id, []);
    if (circle) return circle;
  }
  return undefined;
}

function referencesIn(value: unknown, key = ''): readonly string[] {
  if (key === 'Ref' || key === 'DependsOn') return listOf(value).map(String);
  if (key === 'Fn::GetAtt') return [String(listOf(value)[0]).split('.')[0] ?? ''];
  if (key === 'Fn::Sub') {
    const texts = listOf(value).filter((part) => typeof part === 'string');
    const named = texts.flatMap((text) => [...text.matchAll(/\$\{([\w]+)[.}]/g)]);
    return [...named.map((match) => match[1] ?? ''), ...referencesIn(at(value, 1))];
  }
  if (Array.isArray(value)) return value.flatMap((item) => referencesIn(item));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([k, v]) => referencesIn(v, k));
}

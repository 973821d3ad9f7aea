/**
 * The operators' roles: they read without ever seeing a secret or an item, and act only on
 * migrations.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import { residency } from '../../residency.config.ts';
import { type Asked, type Context, mayRole, roleId, type Who } from '../support/operator-roles.ts';
import { ACCOUNT, textOf } from '../support/policies.ts';
import { at, type RealmTemplate, templatesOf } from '../support/templates.ts';

let templates: readonly RealmTemplate[];
beforeAll(() => {
  templates = templatesOf(residency);
});

/** The template of realm `us`, unless another one is named. */
function template(realm = 'us'): RealmTemplate {
  const found = templates.find((one) => one.realm === realm);
  if (found === undefined) throw new Error(`no template of ${realm}`);
  return found;
}

const may = (who: Who, asked: Asked): boolean => mayRole(template(), who, asked);

const arn = (service: string, resource: string, region = 'us-east-1') =>
  `arn:aws:${service}:${region}:${ACCOUNT}:${resource}`;
const table = (name: string, realm = 'us', region = 'us-east-1') =>
  arn('dynamodb', `table/residency-dev-${realm}-${name}`, region);
const reading = (select: string, ...attributes: readonly string[]): Context => ({
  'dynamodb:Select': [select],
  'dynamodb:Attributes': attributes,
});
const BOTH: readonly Who[] = ['operator-read', 'operator-act'];
const READS = ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan'];
const WRITES = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'].map(
  (a) => `dynamodb:${a}`,
);

describe.each(BOTH)('%s', (who) => {
  test.each(READS)('may %s what a tenant’s record says, named attribute by attribute', (action) => {
    const context = reading('SPECIFIC_ATTRIBUTES', 'tenant', 'state', 'movedTo', 'credentialsIat');
    expect(may(who, { action, resource: table('tenants'), context })).toBe(true);
  });

  test.each([
    ['the secret among others', reading('SPECIFIC_ATTRIBUTES', 'tenant', 'state', 'sharedSecret')],
    ['the secret alone', reading('SPECIFIC_ATTRIBUTES', 'sharedSecret')],
    ['a path into the secret', reading('SPECIFIC_ATTRIBUTES', 'sharedSecret.x')],
    ['whole records', reading('ALL_ATTRIBUTES')],
    ['whole records, by a request that does not say so', {}],
    ['no attributes by name', { 'dynamodb:Select': ['SPECIFIC_ATTRIBUTES'] }],
    ['attributes without a selection', { 'dynamodb:Attributes': ['tenant'] }],
  ])('may not read %s', (_, context) => {
    for (const action of [...READS, 'dynamodb:BatchGetItem'])
      expect(may(who, { action, resource: table('tenants'), context })).toBe(false);
  });

  test('may read the ledger, where no secret is, and the index of open migrations', () => {
    for (const action of READS) {
      expect(may(who, { action, resource: table('migrations') })).toBe(true);
      expect(may(who, { action, resource: `${table('migrations')}/index/open` })).toBe(true);
    }
  });

  test('may count a dataset, and see its partition keys', () => {
    for (const { name } of tablesOf(residency.parts)) {
      const resource = table(name);
      const count = reading('COUNT', 'tenant');
      expect(may(who, { action: 'dynamodb:Query', resource, context: count }), name).toBe(true);
      const keys = reading('SPECIFIC_ATTRIBUTES', 'tenant');
      expect(may(who, { action: 'dynamodb:Scan', resource, context: keys }), name).toBe(true);
    }
    const living = reading('COUNT', 'tenant', 'expiresAt');
    expect(
      may(who, { action: 'dynamodb:Query', resource: table('previews'), context: living }),
    ).toBe(true);
  });

  test('may go on to the second page of a scan, which names both keys, and no other attribute', () => {
    const resource = table('exports');
    const scan = (...names: string[]) => reading('SPECIFIC_ATTRIBUTES', ...names);
    const action = 'dynamodb:Scan';
    expect(may(who, { action, resource, context: scan('tenant', 'id') })).toBe(true);
    expect(may(who, { action, resource, context: scan('tenant', 'id', 'title') })).toBe(false);
  });

  test('may look into what was given up, alarms and queries, and switch nothing off', () => {
    const queue = (realm: string) => arn('sqs', `residency-dev-${realm}-dead-letters`);
    expect(may(who, { action: 'sqs:ReceiveMessage', resource: queue('us') })).toBe(true);
    expect(may(who, { action: 'sqs:ReceiveMessage', resource: queue('de') })).toBe(false);
    for (const action of ['logs:GetQueryResults', 'cloudwatch:GetMetricData'])
      expect(may(who, { action, resource: '*' }), action).toBe(true);
    const log = arn('logs', 'log-group:/aws/vendedlogs/apigateway/residency-dev-us');
    expect(may(who, { action: 'logs:StartQuery', resource: log })).toBe(true);
    const rule = arn('events', 'rule/residency-dev-us-janitor');
    for (const action of ['events:DisableRule', 'events:PutRule', 'sqs:PurgeQueue'])
      expect(may(who, { action, resource: action.startsWith('sqs') ? queue('us') : rule })).toBe(
        false,
      );
  });

  test('may neither read an item of a dataset, nor ask about its contents, nor write one', () => {
    const contents = [
      {},
      reading('ALL_ATTRIBUTES'),
      reading('SPECIFIC_ATTRIBUTES', 'tenant', 'title'),
      reading('SPECIFIC_ATTRIBUTES', 'title'),
      { 'dynamodb:Select': ['SPECIFIC_ATTRIBUTES'] },
      reading('COUNT', 'tenant', 'title'),
    ];
    for (const { name } of tablesOf(residency.parts)) {
      for (const context of contents)
        for (const action of [...READS, 'dynamodb:BatchGetItem'])
          expect(
            may(who, { action, resource: table(name), context }),
            `${action} ${name} ${JSON.stringify(context)}`,
          ).toBe(false);
      for (const action of WRITES)
        expect(may(who, { action, resource: table(name) }), `${action} ${name}`).toBe(false);
    }
  });

  test('may not write a tenant’s record', () => {
    const context = reading('SPECIFIC_ATTRIBUTES', 'tenant', 'state');
    for (const action of WRITES)
      expect(may(who, { action, resource: table('tenants'), context })).toBe(false);
  });

  test('may look at executions and logs, and only of this realm', () => {
    const execution = (realm: string) =>
      arn('states', `execution:residency-dev-${realm}-realm-migration:copy-abc-1`);
    expect(may(who, { action: 'states:GetExecutionHistory', resource: execution('us') })).toBe(
      true,
    );
    expect(may(who, { action: 'states:GetExecutionHistory', resource: execution('de') })).toBe(
      false,
    );
    const log = (realm: string) =>
      arn('logs', `log-group:/aws/lambda/residency-dev-${realm}-start:log-stream:x`);
    expect(may(who, { action: 'logs:FilterLogEvents', resource: log('us') })).toBe(true);
    expect(may(who, { action: 'logs:FilterLogEvents', resource: log('de') })).toBe(false);
    const theirs = table('migrations', 'de', 'eu-central-1');
    expect(may(who, { action: 'dynamodb:GetItem', resource: theirs })).toBe(false);
  });

  test('is in every realm, for people of this account, and may use the realm’s key', () => {
    for (const one of templates) {
      const name = `residency-dev-${one.realm}-${who}`;
      const role = one.resources[roleId(name, one)];
      const trusted = at(
        role?.Properties['AssumeRolePolicyDocument'],
        'Statement',
        0,
        'Principal',
        'AWS',
      );
      expect(textOf(one, trusted)).toBe(`arn:aws:iam::${ACCOUNT}:root`);
      // the key policy names the roles of a realm like this
      expect(name).toMatch(/^residency-dev-\w+-/);
    }
  });
});

describe('operator-read', () => {
  test('changes nothing', () => {
    for (const action of WRITES)
      expect(may('operator-read', { action, resource: table('migrations') })).toBe(false);
    for (const [action, resource] of ACTS)
      expect(may('operator-read', { action, resource }), action).toBe(false);
  });
});

describe('operator-act', () => {
  test('asks for changes and rehearsals, stops executions, and calls the janitor', () => {
    for (const [action, resource] of ACTS)
      expect(may('operator-act', { action, resource }), action).toBe(true);
  });

  test('neither writes nor deletes what was recorded, nor starts or redrives, nor calls a worker', () => {
    const refused = [
      ['dynamodb:PutItem', table('migrations')],
      ['dynamodb:UpdateItem', table('migrations')],
      ['states:StartExecution', MACHINE],
      ['dynamodb:DeleteItem', table('migrations')],
      ['states:RedriveExecution', MACHINE.replace('stateMachine', 'execution').concat(':x')],
      ['lambda:InvokeFunction', arn('lambda', 'function:residency-dev-us-purge-source-range')],
      ['lambda:InvokeFunction', arn('lambda', 'function:residency-dev-us-installed')],
    ] as const;
    for (const [action, resource] of refused)
      expect(may('operator-act', { action, resource }), action).toBe(false);
  });
});

describe('operator-tenants', () => {
  const TENANTS = arn('lambda', 'function:residency-dev-us-tenants');

  test('asks for imports and retirements, and is the only role that may', () => {
    expect(may('operator-tenants', { action: 'lambda:InvokeFunction', resource: TENANTS })).toBe(
      true,
    );
    for (const who of BOTH)
      expect(may(who, { action: 'lambda:InvokeFunction', resource: TENANTS }), who).toBe(false);
  });

  test('sees tenants without their secrets, and counts items', () => {
    for (const action of READS) {
      const asked = { action, resource: table('tenants') };
      const of = (...names: string[]) => reading('SPECIFIC_ATTRIBUTES', ...names);
      expect(may('operator-tenants', { ...asked, context: of('tenant', 'state') })).toBe(true);
      expect(may('operator-tenants', { ...asked, context: of('tenant', 'sharedSecret') })).toBe(
        false,
      );
      expect(may('operator-tenants', { ...asked, context: reading('ALL_ATTRIBUTES') })).toBe(false);
    }
    const count = { action: 'dynamodb:Query', resource: table('templates') };
    expect(may('operator-tenants', { ...count, context: reading('COUNT', 'tenant') })).toBe(true);
  });

  test('does nothing else: not what the other roles do, and no write of its own', () => {
    for (const [action, resource] of ACTS)
      expect(may('operator-tenants', { action, resource }), resource).toBe(false);
    for (const name of ['tenants', 'migrations', 'templates'])
      for (const action of WRITES)
        expect(may('operator-tenants', { action, resource: table(name) }), name).toBe(false);
    expect(
      may('operator-tenants', { action: 'dynamodb:Query', resource: table('migrations') }),
    ).toBe(false);
  });
});

const MACHINE = arn('states', 'stateMachine:residency-dev-us-realm-migration');
const ACTS = [
  ['states:StopExecution', arn('states', 'execution:residency-dev-us-realm-migration:copy-abc-1')],
  ['lambda:InvokeFunction', arn('lambda', 'function:residency-dev-us-operate')],
  ['lambda:InvokeFunction', arn('lambda', 'function:residency-dev-us-rehearse')],
  ['lambda:InvokeFunction', arn('lambda', 'function:residency-dev-us-janitor')],
  ['lambda:InvokeFunction', arn('lambda', 'function:residency-dev-us-purge-retired')],
  ['sqs:DeleteMessage', arn('sqs', 'residency-dev-us-dead-letters')],
  ['events:EnableRule', arn('events', 'rule/residency-dev-us-janitor')],
  ['cloudwatch:SetAlarmState', arn('cloudwatch', 'alarm:residency-dev-us-alarm-line')],
] as const;

/**
 * Each role may do what its row in grants.ts says, in documents that IAM accepts, without an
 * unnecessary star.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Part } from '../../lambdas/domain/datasets/dataset.ts';
import { checkParts } from '../../lambdas/domain/datasets/declaration.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { ENTRIES } from '../../lib/entries.ts';
import { GRANTS } from '../../lib/grants.ts';

import { WORKFLOW_TASKS } from '../../lib/routes.ts';
import { residency } from '../../residency.config.ts';
import {
  ACCOUNT,
  allowedCalls,
  documentsOf,
  isAllowed,
  readDocument,
  rolesOf,
  type Statement,
  statementsOf,
  textOf,
} from '../support/policies.ts';
import { DOCUMENTS } from '../support/s3-part-kind-host.ts';
import { at, listOf, ofType, type RealmTemplate, templatesOf } from '../support/templates.ts';

/** Stars that cannot be avoided. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'cloudwatch:DescribeAlarms on *': 'a list of alarms is of all',
  'cloudwatch:GetMetricData on *': 'metrics know no resource',
  'cloudwatch:GetMetricStatistics on *': 'metrics know no resource',
  'cloudwatch:ListMetrics on *': 'metrics know no resource',
  'kms:* on *':
    'a key policy speaks of its own key; without the account as administrator nobody could ever change it',
  'kms:Decrypt on *': 'a key policy speaks of its own key',
  'kms:DescribeKey on *': 'a key policy speaks of its own key',
  'kms:Encrypt on *': 'a key policy speaks of its own key',
  'kms:GenerateDataKey on *': 'a key policy speaks of its own key',
  'kms:GenerateDataKeyWithoutPlaintext on *': 'a key policy speaks of its own key',
  'kms:ReEncryptFrom on *': 'a key policy speaks of its own key',
  'kms:ReEncryptTo on *': 'a key policy speaks of its own key',
  'lambda:GetAccountSettings on *': 'an account has one limit in a region, and no name for it',
  'logs:CreateLogDelivery on *': 'log delivery of Step Functions knows no resource',
  'logs:DeleteLogDelivery on *': 'log delivery of Step Functions knows no resource',
  'logs:DescribeLogGroups on *': 'log delivery of Step Functions knows no resource',
  'logs:DescribeQueryDefinitions on *': 'saved queries know no resource',
  'logs:DescribeResourcePolicies on *': 'log delivery of Step Functions knows no resource',
  'logs:GetLogDelivery on *': 'log delivery of Step Functions knows no resource',
  'logs:GetQueryResults on *': 'results are found by the id of a query, which knows no resource',
  'logs:ListLogDeliveries on *': 'log delivery of Step Functions knows no resource',
  'logs:PutResourcePolicy on *': 'log delivery of Step Functions knows no resource',
  'logs:StopQuery on *': 'a query is stopped by its id, and knows no resource',
  'logs:UpdateLogDelivery on *': 'log delivery of Step Functions knows no resource',
};

let templates: readonly RealmTemplate[];
let us: RealmTemplate;

beforeAll(() => {
  templates = templatesOf(residency);
  us = first(templates);
});

describe('grants', () => {
  test('have a row for every Lambda, and no other row', () => {
    expect(Object.keys(GRANTS).sort()).toEqual([...ENTRIES].sort());
  });

  test('become exact actions on exact tables', () => {
    const table = (region: string, name: string) =>
      `arn:aws:dynamodb:${region}:${ACCOUNT}:table/${name}`;
    const may = (entry: string, action: string, arn: string) => isAllowed(us, entry, action, arn);
    const theirs = table('eu-central-1', 'residency-dev-de-templates');
    expect(may('tasks/copy-range', 'dynamodb:Query', theirs)).toBe(true);
    expect(may('tasks/copy-range', 'dynamodb:BatchWriteItem', theirs)).toBe(false);
    expect(
      may('hooks/status', 'dynamodb:PutItem', table('us-east-1', 'residency-dev-us-migrations')),
    ).toBe(false);
    expect(
      may(
        'tasks/janitor',
        'dynamodb:Query',
        table('us-east-1', 'residency-dev-us-migrations/index/open'),
      ),
    ).toBe(true);
    expect(allowedCalls(us).filter(({ entry }) => entry === 'hooks/health')).toEqual([
      expect.objectContaining({ action: 'logs:CreateLogStream' }),
      expect.objectContaining({ action: 'logs:PutLogEvents' }),
    ]);
  });

  test('never let anyone write a dataset of another realm', () => {
    const foreignParts = (call: { resource: string }) =>
      /:table\/residency-dev-(?!us-)\w+-(templates|exports|previews)$/.test(call.resource);
    const actions = allowedCalls(us)
      .filter(foreignParts)
      .map(({ action }) => action);
    expect(new Set(actions)).toEqual(new Set(['dynamodb:Query']));
  });
});

describe('policies', () => {
  test('have no star that is not explained', () => {
    const stars = templates.flatMap((template) =>
      allStatements(template).flatMap(({ actions, resources }) =>
        actions.flatMap((action) =>
          resources
            .filter((resource) => action.includes('*') || resource === '*')
            .map((resource) => `${action} on ${resource}`),
        ),
      ),
    );
    expect([...new Set(stars)].sort()).toEqual(Object.keys(EXCEPTIONS).sort());
  });

  test('leave the use of the key that encrypts to its key policy', () => {
    for (const template of templates) {
      const ofKeys = rolesOf(template)
        .flatMap((role) => allowedTo(template, role))
        .filter(({ actions }) => actions.some((action) => action.startsWith('kms:')));
      // The key of receipts can sign, and give its public half; it cannot decrypt.
      for (const { actions, resources } of ofKeys) {
        expect(['kms:Sign', 'kms:GetPublicKey']).toEqual(expect.arrayContaining([...actions]));
        expect(resources).toEqual([
          expect.stringMatching(/:alias\/residency-dev-[a-z]+-receipts$/),
        ]);
      }
      expect(ofKeys.map(({ actions }) => actions.join()).sort()).toEqual([
        'kms:GetPublicKey',
        'kms:GetPublicKey',
        'kms:Sign',
        'kms:Sign',
      ]);
      const [key] = ofType(template, 'AWS::KMS::Key').filter(
        ({ Properties }) => Properties['KeySpec'] === undefined,
      );
      const [, use] = listOf(at(key?.Properties['KeyPolicy'], 'Statement'));
      expect(textOf(template, at(use, 'Condition', 'StringEquals', 'kms:ViaService'))).toBe(
        `dynamodb.${template.region}.amazonaws.com`,
      );
      const patterns = listOf(at(use, 'Condition', 'ArnLike', 'aws:PrincipalArn'));
      expect(patterns.map((pattern) => textOf(template, pattern))).toEqual(
        residency.realms.map(
          ({ realm }) => `arn:aws:iam::${ACCOUNT}:role/residency-dev-${realm}-*`,
        ),
      );
    }
  });

  test('let the state machine invoke the Lambdas of its tasks, and nothing else', () => {
    for (const template of templates) {
      const [machine] = ofType(template, 'AWS::StepFunctions::StateMachine');
      const substitutions = Object.values(Object(machine?.Properties['DefinitionSubstitutions']));
      const inFile = substitutions.map((value) => textOf(template, value));
      const role = String(at(machine?.Properties['RoleArn'], 'Fn::GetAtt', 0));
      const invocable = statementsOf(template, role)
        .filter(({ actions }) => actions.includes('lambda:InvokeFunction'))
        .flatMap(({ resources }) => resources);
      expect(invocable.sort()).toEqual(inFile.sort());
      const existing = ofType(template, 'AWS::Lambda::Function')
        .filter(({ Properties }) => isWorkflowTask(String(Properties['Handler'])))
        .map(
          ({ Properties }) =>
            `arn:aws:lambda:${template.region}:${ACCOUNT}:function:${Properties['FunctionName']}`,
        );
      expect(invocable).toEqual(existing.sort());
    }
  });
});

describe('the key of a vendor’s own table or bucket', () => {
  const keyIn = (region: string) => `arn:aws:kms:${region}:123456789012:key/0a1b-2c3d`;
  const regionOf = (realm: string) => (realm === 'us' ? 'us-east-1' : 'eu-central-1');
  const withKey = (encryptionKeyArn: (realm: string) => string): Residency => ({
    ...residency,
    realms: residency.realms.slice(0, 2),
    otherWritersSeconds: 0,
    parts: [
      ...residency.parts.map((part) =>
        part.name === 'templates'
          ? {
              ...part,
              tableName: (realm: string, stage: string) => `app-${stage}-${realm}`,
              encryptionKeyArn,
            }
          : part,
      ),
      {
        ...DOCUMENTS,
        name: 'logos',
        bucket: (realm: string) => `logos-${realm}`,
        encryptionKeyArn,
      },
    ],
  });
  /** For each use: role, action, key, and the service that it goes through. */
  const uses = (template: RealmTemplate, entry: string, service = 'dynamodb') =>
    documentsOf(template, roleIdOf(template, entry))
      .flatMap(({ document }) => listOf(at(document, 'Statement')))
      .filter((statement) => /^kms:(?!Sign$)/.test(String(listOf(at(statement, 'Action'))[0])))
      .map((statement) => ({
        actions: listOf(at(statement, 'Action')),
        keys: listOf(at(statement, 'Resource')),
        via: textOf(template, at(statement, 'Condition', 'StringEquals', 'kms:ViaService')),
      }))
      .filter(({ via }) => via.startsWith(`${service}.`));

  let synthesised: readonly RealmTemplate[] | undefined;
  const templates = () => {
    synthesised ??= templatesOf(withKey((realm) => keyIn(regionOf(realm))));
    return synthesised;
  };

  test('may be used, through DynamoDB alone, by what reads or writes the table', () => {
    const template = first(templates());
    const reading = ['kms:Decrypt', 'kms:DescribeKey'];
    expect(uses(template, 'tasks/copy-range')).toEqual([
      {
        actions: [
          ...reading,
          'kms:Encrypt',
          'kms:GenerateDataKey',
          'kms:GenerateDataKeyWithoutPlaintext',
          'kms:ReEncryptFrom',
          'kms:ReEncryptTo',
        ],
        keys: [keyIn('us-east-1')],
        via: 'dynamodb.us-east-1.amazonaws.com',
      },
      {
        actions: reading,
        keys: [keyIn('eu-central-1')],
        via: 'dynamodb.eu-central-1.amazonaws.com',
      },
    ]);
    expect(uses(template, 'tasks/finish-commit').map(({ actions }) => actions)).toEqual([reading]);
    expect(uses(template, 'sample-app/exports').map(({ actions }) => actions)).toEqual([reading]);
    for (const entry of ['hooks/status', 'hooks/commit'])
      expect(uses(template, entry), entry).toEqual([]);
  });

  test('may be used, through S3 alone, by what reads or writes objects, for what S3 needs', () => {
    const template = first(templates());
    expect(uses(template, 'tasks/copy-range', 's3')).toEqual([
      {
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        keys: [keyIn('us-east-1')],
        via: 's3.us-east-1.amazonaws.com',
      },
      {
        actions: ['kms:Decrypt'],
        keys: [keyIn('eu-central-1')],
        via: 's3.eu-central-1.amazonaws.com',
      },
    ]);
    expect(uses(template, 'tasks/measure', 's3').map(({ actions }) => actions)).toEqual([
      ['kms:Decrypt'],
    ]);
    // Listing and removing objects needs no key; the exports of the sample are in another bucket.
    for (const entry of ['tasks/purge-source-range', 'hooks/schedule', 'sample-app/exports'])
      expect(uses(template, entry, 's3'), entry).toEqual([]);
  });

  test('is a key of the realm’s region, and of a table of the vendor’s own', () => {
    expect(() => templatesOf(withKey(() => keyIn('us-east-1')))).toThrow(
      'part "templates": encryptionKeyArn of realm de is the ARN of a key in eu-central-1',
    );
    expect(() => templatesOf(withKey(() => 'alias/mine'))).toThrow('not "alias/mine"');
    const [part] = residency.parts;
    if (part === undefined) throw new Error('there is no part');
    expect(() => checkParts([{ ...part, encryptionKeyArn: keyIn }])).toThrow(
      'part "templates": encryptionKeyArn is for a table of your own',
    );
  });
});

const roleIdOf = (template: RealmTemplate, entry: string): string => {
  const lambda = ofType(template, 'AWS::Lambda::Function').find(
    ({ Properties }) => Properties['Handler'] === `${entry}.handler`,
  );
  return String(at(lambda?.Properties['Role'], 'Fn::GetAtt', 0));
};

/** Includes the conditional statements, which operators' roles have. */
const allowedTo = (template: RealmTemplate, role: string): readonly Statement[] =>
  documentsOf(template, role).flatMap(({ document }) => readDocument(template, document));

/** The statements of roles and of keys. */
function allStatements(template: RealmTemplate): readonly Statement[] {
  const keyPolicies = ofType(template, 'AWS::KMS::Key').map((key) => key.Properties['KeyPolicy']);
  return [
    ...rolesOf(template).flatMap((role) => allowedTo(template, role)),
    ...keyPolicies.flatMap((document) => readDocument(template, document)),
  ];
}

const isWorkflowTask = (handler: string): boolean =>
  WORKFLOW_TASKS.some((task) => handler === `tasks/${task}.handler`);

function first(all: readonly RealmTemplate[]): RealmTemplate {
  const [template] = all;
  if (template === undefined) throw new Error('there is no template');
  return template;
}

test('the index of a part may be queried by the functions that copy by it, and by no other', () => {
  const discover = {
    by: 'index',
    index: 'of-tenant',
    attribute: 'whose',
    largestTableGB: 1,
  } as const;
  const table = { kind: 'dynamodb', policy: 'move', partitionKey: 'id', discover } as const;
  const parts: readonly Part[] = [
    ...residency.parts,
    { ...table, name: 'ours' },
    { ...table, name: 'theirs', tableName: (realm, stage) => `theirs-${stage}-${realm}` },
  ];
  checkParts(parts);
  const made = first(templatesOf({ ...residency, parts, otherWritersSeconds: 0 }));
  const asked = allowedCalls(made).filter(({ resource }) => /index\/of-tenant$/.test(resource));
  const entries = new Set(asked.map(({ entry }) => entry));
  expect([...entries].toSorted()).toEqual(['tasks/copy-ahead-range', 'tasks/copy-range']);
  expect(new Set(asked.map(({ action }) => action))).toEqual(new Set(['dynamodb:Query']));
  const tables = asked.map(({ resource }) => resource.split('/')[1] ?? '');
  expect(new Set(tables.map((name) => name.replace(/-[a-z]+(-ours)?$/, '')))).toEqual(
    new Set(['theirs-dev', `${residency.name}-dev`]),
  );
  // It reads the source, which is another realm.
  expect(tables.filter((name) => name.split('-').includes(made.realm))).toEqual([]);
});

test('the size of a scanned table may be asked for by the schedule, in each realm, and by no other', () => {
  const discover = { by: 'scan', attribute: 'whose', largestTableGB: 1 } as const;
  const table = { kind: 'dynamodb', policy: 'move', partitionKey: 'id', discover } as const;
  const parts: readonly Part[] = [...residency.parts, { ...table, name: 'ours' }];
  checkParts(parts);
  const made = first(templatesOf({ ...residency, parts }));
  const asked = allowedCalls(made).filter(({ action }) => action === 'dynamodb:DescribeTable');
  expect(new Set(asked.map(({ entry }) => entry))).toEqual(new Set(['hooks/schedule']));
  const tables = asked.map(({ resource }) => resource.split('/')[1] ?? '');
  expect(tables.toSorted()).toEqual(
    residency.realms.map(({ realm }) => `${residency.name}-dev-${realm}-ours`).toSorted(),
  );
});

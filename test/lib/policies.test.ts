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
import { inline, managed } from '../../lib/policy-size.ts';
import { WORKFLOW_TASKS } from '../../lib/routes.ts';
import { residency } from '../../residency.config.ts';
import {
  ACCOUNT,
  allowedCalls,
  documentsOf,
  isAllowed,
  readDocument,
  type Statement,
  statementsOf,
  textOf,
} from '../support/policies.ts';
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

  test.each([
    ['alike', large()],
    ['unlike', large(12, 'unlike')],
  ])('fit into what IAM accepts at 11 realms and 12 parts that are %s', (_, configured) => {
    for (const template of templatesOf(configured, { stage: 'staging' })) {
      for (const role of rolesOf(template)) {
        const documents = documentsOf(template, role);
        const sizes = (kind: string) =>
          documents.filter((d) => d.kind === kind).map((d) => sizeOf(template, d.document));
        expect(
          sizes('inline').reduce((sum, size) => sum + size, 0),
          role,
        ).toBeLessThan(10_240);
        expect(sizes('managed').length, role).toBeLessThanOrEqual(10);
        for (const size of sizes('managed')) expect(size, role).toBeLessThanOrEqual(6144);
      }
      const [key] = ofType(template, 'AWS::KMS::Key');
      expect(sizeOf(template, key?.Properties['KeyPolicy'])).toBeLessThan(32_768);
      expect(Object.keys(template.resources).length).toBeLessThan(500);
      expect(JSON.stringify(template.resources).length).toBeLessThan(1_000_000);
    }
  });

  test('are refused at synthesis where they do not fit', () => {
    const [realm] = residency.realms;
    if (realm === undefined) throw new Error('there is no realm');
    const many = { ...large(200, 'unlike'), realms: [realm] };
    expect(() => templatesOf(many)).toThrow(
      /^the (rights|inline policy) of .+: declare fewer parts, or shorter names$/,
    );
    const much = [{ toStatementJson: () => ({ Sid: 'x'.repeat(10_240) }) }] as never;
    expect(() => inline('operator-act', much)).toThrow(
      /^the inline policy of operator-act has 10\d{3} characters, and IAM takes 10240/,
    );
    expect(() => managed('operator-read', [much])).toThrow('do not fit into 10 managed policies');
  });
});

describe('the key of a vendor’s own table', () => {
  const keyIn = (region: string) => `arn:aws:kms:${region}:123456789012:key/0a1b-2c3d`;
  const regionOf = (realm: string) => (realm === 'us' ? 'us-east-1' : 'eu-central-1');
  const withKey = (encryptionKeyArn: (realm: string) => string): Residency => ({
    ...residency,
    realms: residency.realms.slice(0, 2),
    otherWritersSeconds: 0,
    parts: residency.parts.map((part) =>
      part.name === 'templates'
        ? { ...part, tableName: (realm, stage) => `app-${stage}-${realm}`, encryptionKeyArn }
        : part,
    ),
  });
  /** For each use: role, action, key, and the service that it goes through. */
  const uses = (template: RealmTemplate, entry: string) =>
    documentsOf(template, roleIdOf(template, entry))
      .flatMap(({ document }) => listOf(at(document, 'Statement')))
      .filter((statement) => /^kms:(?!Sign$)/.test(String(listOf(at(statement, 'Action'))[0])))
      .map((statement) => ({
        actions: listOf(at(statement, 'Action')),
        keys: listOf(at(statement, 'Resource')),
        via: textOf(template, at(statement, 'Condition', 'StringEquals', 'kms:ViaService')),
      }));

  test('may be used, through DynamoDB alone, by what reads or writes the table', () => {
    const template = first(templatesOf(withKey((realm) => keyIn(regionOf(realm)))));
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
    for (const entry of ['hooks/status', 'hooks/commit', 'sample-app/exports'])
      expect(uses(template, entry), entry).toEqual([]);
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

/** As many realms as Atlassian has, and more parts than most apps. */
function large(parts = 12, kind: 'alike' | 'unlike' = 'alike'): Residency {
  const realms = ['us', 'de', 'eu', 'au', 'sg', 'ca', 'ch', 'gb', 'in', 'jp', 'kr'];
  const more: Part[] = Array.from({ length: parts - residency.parts.length }, (_, index) => ({
    kind: 'dynamodb',
    name: `a-part-with-a-long-name-${index}`,
    policy: 'move',
    partitionKey: kind === 'alike' ? 'tenant' : `partition-key-${index}`,
    sortKey: { name: kind === 'alike' ? 'id' : `sort-key-${index}`, type: 'S' },
    ...(kind === 'unlike' && { ttlAttribute: `expires-at-${index}` }),
  }));
  return {
    ...residency,
    realms: realms.map((realm, index) => ({
      realm,
      region: residency.realms[index]?.region ?? `ap-southeast-${index}`,
    })),
    parts: [...residency.parts, ...more],
  };
}

const rolesOf = ({ resources }: RealmTemplate): readonly string[] =>
  Object.keys(resources).filter((id) => resources[id]?.Type === 'AWS::IAM::Role');

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

/** As IAM counts: without white space, and with every reference resolved. */
function sizeOf(template: RealmTemplate, document: unknown): number {
  const resolved = JSON.stringify(document, (_, value: unknown) =>
    typeof value === 'object' && value !== null && ('Fn::Join' in value || 'Fn::GetAtt' in value)
      ? textOf(template, value)
      : value,
  );
  return resolved.replaceAll(/\s/g, '').length;
}

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
